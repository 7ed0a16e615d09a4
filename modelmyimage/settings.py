"""All settings, from the environment alone; each variable is described in docs/configuration.md.

``MODE`` decides how strict we are. ``production`` (the default) refuses to start without its secrets;
``local`` is what ``make run`` and the tests use: state below ``STATE_DIR``, whose ``local.env`` holds keys made
on the first start.
"""

from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from modelmyimage import file_headers, logs, secret_files
from privacy.retention import longest

BASE_DIR = Path(__file__).resolve().parent.parent

env = secret_files.Env()
STATE_DIR = Path(env.str("STATE_DIR", default=str(BASE_DIR / "var")))
if (STATE_DIR / "local.env").is_file():
    secret_files.Env.read_env(STATE_DIR / "local.env", overwrite=False)

MODE = env.str("MODE", default="production")
if MODE not in {"production", "local"}:
    raise ImproperlyConfigured(f"MODE is {MODE!r}; it must be 'production' or 'local'.")
LOCAL = MODE == "local"


def secret(name: str) -> str:
    """The value of a variable without which nothing may start.

    Raises ``ImproperlyConfigured`` naming the variable when it is absent or empty.
    """
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. docs/configuration.md says how to make one; on a laptop, use `make run`."
        )
    return value


# Django itself
SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG = False
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if LOCAL else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "modelmyimage.urls"
ASGI_APPLICATION = "modelmyimage.asgi.application"
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ja", "日本語")]
LANGUAGE_COOKIE_AGE = 31_536_000
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = not LOCAL
THEME_COOKIE_NAME = "theme"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "modelmyimage.formats"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # modelmyimage/operators.py says what it shows
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "modelmyimage",
    "trust",
    "generation",
    "billing",
    "accounts",
    "privacy",
]
if LOCAL:
    INSTALLED_APPS.append("sandbox")

# All of them are asynchronous: one that is not would give each request a thread for as long as its view runs.
MIDDLEWARE = [
    "modelmyimage.watching.named",
    "modelmyimage.api_edge.edge",  # before all others: what they answer becomes a problem document there, too
    "django.middleware.security.SecurityMiddleware",
    "modelmyimage.static_files.static_files",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "modelmyimage.context.frame",
                "trust.banner.notices",
            ],
        },
    }
]

# Data
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{STATE_DIR}/db.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Writers queue instead of failing: every transaction takes the write lock at its start.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, as in use: several threads and processes of a test see the same database.
    DATABASES["default"]["TEST"] = {"NAME": str(STATE_DIR / "test.sqlite3")}
# To connect costs both sides more than most of what is asked: each process keeps its connections, for all its threads
# together. One that died with the server is noticed and replaced; while the server is away, nobody waits for longer
# than the time-out, and whoever comes after that tries anew.
DATABASE_POOL = {
    "min_size": 0,
    "max_size": env.int("DATABASE_CONNECTIONS", default=20),
    "timeout": 5.0,
    "reconnect_timeout": 2.0,
    "num_workers": 1,
}
# What a connection is asked often, Postgres parses once, and plans for the values of each time (docs/adr/0052).
DATABASE_PREPARE = env.bool("DATABASE_PREPARE", default=True)
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    options = DATABASES["default"].setdefault("OPTIONS", {})
    if DATABASE_POOL["max_size"]:
        options["pool"] = DATABASE_POOL
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    if DATABASE_PREPARE:
        options |= {"server_side_binding": True, "prepare_threshold": 5}
        options["options"] = f"{options.get('options', '')} -c plan_cache_mode=force_custom_plan".strip()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("CACHE_URL", default=f"unix://{STATE_DIR}/run/broker.sock?db=1"),
        "OPTIONS": {"pool_class": "modelmyimage.cache_pool.SharedPool"},
    }
}

# Servers that nobody else is on the way to (modelmyimage/parts_checks.py)
PRIVATE_HOSTS = env.list("PRIVATE_HOSTS", default=[])

# Stored bytes
STORE_URL = env.str("STORE_URL", default=f"file://{STATE_DIR}/blobs")
S3_ENDPOINT_URL = env.str("S3_ENDPOINT_URL", default="")
KEYSTORE_URL = env.str("KEYSTORE_URL", default=f"unix://{STATE_DIR}/run/keystore.sock")
MASTER_KEYS = secret("MASTER_KEYS")
SIGNING_KEYS = secret("SIGNING_KEYS")
RETIRED_SIGNING_KEYS = env.str("RETIRED_SIGNING_KEYS", default="")

# The transparency log. Its name must outlive a change of address or port.
LOG_ORIGIN = env.str("LOG_ORIGIN", default=urlsplit(SITE_URL).hostname or "")
LOG_HEAD_MINUTES = env.float("LOG_HEAD_MINUTES", default=5.0)

# Uploads: sealed as they stream in. Django and ASGI spool larger bodies to disk in plaintext, so their
# threshold lies above the cap, which modelmyimage.bodylimit enforces before either sees the body.
UPLOAD_LIMIT_BYTES = env.int("UPLOAD_LIMIT_MB", default=20) * 1_000_000
FILE_UPLOAD_MAX_MEMORY_SIZE = UPLOAD_LIMIT_BYTES + 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
FILE_UPLOAD_HANDLERS = ["generation.uploads.SealingUploadHandler"]

# Work
CELERY_BROKER_URL = env.str("BROKER_URL", default=f"redis+socket://{STATE_DIR}/run/broker.sock")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than the longest task; a task lost with its worker comes back after it. Kombu's own sweep is slow (100 s).
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,  # a broker that hangs must not hang a page
    "socket_connect_timeout": 5,
    "priority_steps": [0, 9],  # generation.pipeline: jobs already begun, and new ones
}
SWEEP_SECONDS = env.float("SWEEP_SECONDS", default=5.0)
# A sweep that came too late for its turn is not made up for: while workers are away, turns would pile up. Late is more
# than a worker's clock may be wrong by, or such a worker would never sweep.
SWEEP_EXPIRES = max(600.0, 2 * SWEEP_SECONDS)
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {
        "task": "generation.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_EXPIRES},
    },
    "sweep-webhooks": {
        "task": "generation.tasks.sweep_webhooks",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_EXPIRES},
    },
    "destroy-unclaimed": {
        "task": "generation.tasks.destroy_unclaimed",
        "schedule": 60.0,
        "options": {"expires": SWEEP_EXPIRES, "queue": "privacy"},
    },
    "notice-credits": {"task": "billing.tasks.notice", "schedule": 300.0, "options": {"expires": SWEEP_EXPIRES}},
    "sweep-events": {"task": "billing.tasks.sweep_events", "schedule": 30.0, "options": {"expires": SWEEP_EXPIRES}},
    "reconcile-stripe": {
        "task": "billing.tasks.reconcile",
        "schedule": crontab(hour=3, minute=17),
        "options": {"expires": 3600.0},
    },
    "verify-ledger": {
        "task": "billing.tasks.verify",
        "schedule": crontab(minute=52),
        "options": {"expires": 3600.0},
    },
    "close-ledger-day": {
        "task": "billing.tasks.close_day",
        "schedule": crontab(hour=2, minute=29),
        "options": {"expires": 3600.0},
    },
    "verify-whole-ledger": {
        "task": "billing.tasks.verify_whole",
        "schedule": crontab(day_of_week="sunday", hour=1, minute=11),
        "options": {"expires": 3600.0},
    },
    "forget-calls": {
        "task": "generation.tasks.forget",
        "schedule": crontab(hour=3, minute=41),
        "options": {"expires": 3600.0},
    },
    "forget-strays": {"task": "privacy.tasks.forget", "schedule": 600.0, "options": {"expires": 600.0}},
    "forget-sessions": {"task": "accounts.tasks.forget", "schedule": 600.0, "options": {"expires": 600.0}},
    "audit": {"task": "trust.tasks.audit", "schedule": 600.0, "options": {"expires": 600.0}},
    "publish-documents": {
        "task": "trust.tasks.publish",
        "schedule": crontab(hour=4, minute=7),
        "options": {"expires": 3600.0},
    },
    "tell-changes": {"task": "trust.tasks.tell", "schedule": 300.0, "options": {"expires": SWEEP_EXPIRES}},
    "tell-security": {"task": "accounts.tasks.tell", "schedule": 60.0, "options": {"expires": SWEEP_EXPIRES}},
    "roll-up-calls": {"task": "accounts.tasks.roll_up", "schedule": crontab(minute=23), "options": {"expires": 3600.0}},
    "sweep-blobs": {
        "task": "privacy.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_EXPIRES},
    },
    "tend-requests": {"task": "privacy.tasks.tend_requests", "schedule": 60.0, "options": {"expires": SWEEP_EXPIRES}},
    "sweep-erasures": {
        "task": "privacy.tasks.sweep_erasures",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_EXPIRES},
    },
    "tend-log": {
        "task": "privacy.tasks.tend_log",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": SWEEP_EXPIRES},
    },
}
CELERY_TASK_DEFAULT_QUEUE = "default"
# Destroying waits behind no generation: generation.pipeline sends a job's last stages there too.
CELERY_TASK_ROUTES = {"privacy.tasks.*": {"queue": "privacy"}}

# A worker's claim on a job, and how long a sent message is given before the sweep sends another.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=90.0)
RENUDGE_SECONDS = env.float("RENUDGE_SECONDS", default=30.0)

# Inference
PROVIDERS = env.list("PROVIDERS", default=[])
PROVIDER_ENVIRONMENT = env.ENVIRON  # generation/registry.py takes what the cards name
PROVIDER_CREDITS = env.list("PROVIDER_CREDITS", default=[])
PROVIDER_SLOTS = env.list("PROVIDER_SLOTS", default=[])
PROVIDER_HOOKS = env.list("PROVIDER_HOOKS", default=[])
OPERATOR_REGION = env.str("OPERATOR_REGION", default="").upper()
PROVIDERS_COMING = env.list("PROVIDERS_COMING", default=[])

# The filtering proxy that whatever leaves this process goes through, where the machine has no other way out.
EGRESS_PROXY = env.str("EGRESS_PROXY", default="")

# Webhooks of customers. While a receiver is developed, it may be a program on this machine.
WEBHOOKS_TO_LOOPBACK = env.bool("WEBHOOKS_TO_LOOPBACK", default=False)
if WEBHOOKS_TO_LOOPBACK and not LOCAL:
    raise ImproperlyConfigured("WEBHOOKS_TO_LOOPBACK lets customers call this machine; it is for MODE=local alone.")

# Credits, and buying them: without a key of Stripe's nothing is for sale. STRIPE_API_BASE leads to the stand-in.
GRANT_CREDITS = env.int("GRANT_CREDITS", default=10)
CURRENCY = env.str("CURRENCY", default="eur").lower()
CREDIT_PACKS = env.list("CREDIT_PACKS", default=["20:500", "100:2000", "500:8500"])
CREDIT_PLANS = env.list("CREDIT_PLANS", default=["200:3200"])
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRETS = env.list("STRIPE_WEBHOOK_SECRET", default=[])
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")
STRIPE_AUTOMATIC_TAX = env.bool("STRIPE_AUTOMATIC_TAX", default=False)
STRIPE_TAX_BEHAVIOR = env.str("STRIPE_TAX_BEHAVIOR", default="inclusive")
STRIPE_PROMOTION_CODES = env.bool("STRIPE_PROMOTION_CODES", default=True)
TAX_NOTE = env.str("TAX_NOTE", default="")
if STRIPE_API_BASE and not LOCAL:
    raise ImproperlyConfigured("STRIPE_API_BASE leads to the stand-in for Stripe, which is for MODE=local alone.")
BILLING = bool(STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS)
BILLING_TEST_MODE = BILLING and not STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))
# Where a form of ours may lead: to Checkout and to the Customer Portal.
STRIPE_PAGES = [STRIPE_API_BASE] if STRIPE_API_BASE else ["https://checkout.stripe.com", "https://billing.stripe.com"]

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "generation:create"
LOGOUT_REDIRECT_URL = "generation:landing"
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = int(longest("session").total_seconds())
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.passwords.OwnWords"},
    {"NAME": "accounts.passwords.Leaked"},
]
# Signing up takes an address, which a code confirms. A password is optional; it or a passkey may be added later.
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 2  # the present one and the one it is changing to
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE_URL.partition(":")[0]
# Beside allauth's own: nobody can have a mailbox filled in somebody else's name, or the site write files all day.
ACCOUNT_RATE_LIMITS = {
    "signup": "20/m/ip,60/h/ip",  # each brings credits, and a mail to somebody
    "request_login_code": "20/m/ip,3/m/key,10/h/key",
    "reset_password": "20/m/ip,5/m/key,10/h/key",
    "export_data": "5/h/user",
    "contact": "5/h/ip,60/h/key",
    "data_request": "10/h/user",
    "data_request_by_mail": "20/h/ip,5/h/key",
    "erase_account": "5/h/user",
}
ACCOUNT_FORMS = {"signup": "trust.sign_up.SignUpForm"}
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
MFA_ADAPTER = "accounts.secrets.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "ModelMyImage"
MFA_TOTP_TOLERANCE = 0  # a code is good for the 30 seconds in which an app shows it
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL  # browsers allow passkeys without TLS on localhost only
# Who has to have one (accounts/second_factor.py)
SECOND_FACTOR = env.str("SECOND_FACTOR", default="")
SECOND_FACTOR_CHOSEN = bool(SECOND_FACTOR)
SECOND_FACTOR = SECOND_FACTOR or ("nobody" if LOCAL else "operators")
if SECOND_FACTOR == "everybody":
    MIDDLEWARE.append("accounts.second_factor.demanded")

# Mail: SMTP in production; on a laptop a mailbox page shows it.
if LOCAL:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = STATE_DIR / "mail"
else:
    mail = env.email_url("EMAIL_URL", default="smtp://localhost:25")
    vars().update(mail)
    if mail["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend":
        EMAIL_BACKEND = "modelmyimage.mail_gate.EmailBackend"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="ModelMyImage <noreply@localhost>")

# Files of the site
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static", ("guides", BASE_DIR / "docs" / "images")]
# A laptop needs no collectstatic: files are served from where they are.
STATIC_ROOT = None if LOCAL else BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = LOCAL
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = file_headers.add
WHITENOISE_IMMUTABLE_FILE_TEST = file_headers.KEPT_FOR_GOOD

# What is held of people: the apps' maps (privacy/datamap.py)
SUBJECT_DATA = [
    "trust.subject_data",
    "generation.subject_data",
    "billing.subject_data",
    "accounts.subject_data",
    "privacy.subject_data",
]

# Who answers for the site, as its documents say it. Entries of lists have parts with | between them.
OPERATOR_NAME = env.str("OPERATOR_NAME", default="")
OPERATOR_ADDRESS = env.str("OPERATOR_ADDRESS", default="")
CONTACT_EMAIL = env.str("CONTACT_EMAIL", default="")
GOVERNING_LAW = env.str("GOVERNING_LAW", default="")
SUPERVISORY_AUTHORITY = env.str("SUPERVISORY_AUTHORITY", default="")
HOSTING = env.list("HOSTING", default=[])
CERTIFICATIONS = env.list("CERTIFICATIONS", default=[])
MINIMUM_AGE = env.int("MINIMUM_AGE", default=16)
NOTICE_DAYS = env.int("NOTICE_DAYS", default=30)

# How an account's parts stand, as its page says (accounts/overview.py)
ACCOUNT_STATES = [
    "generation.account_states",
    "billing.account_states",
    "accounts.account_states",
    "privacy.account_states",
]

# What ends what there is of an account before its rows go (privacy/closing.py), in this order
CLOSING = ["generation.closing", "billing.closing", "accounts.closing", "privacy.closing"]

# Whom to tell of a hole, and until when that holds (RFC 9116); a date such as 2027-06-30
SECURITY_CONTACT = env.list("SECURITY_CONTACT", default=[])
SECURITY_EXPIRES = env.str("SECURITY_EXPIRES", default="")

# Who is reminded of requests about people's data that are due
PRIVACY_CONTACT = env.list("PRIVACY_CONTACT", default=[])

# Who watches the site (docs/observe.md); without these, nobody does
REQUEST_ID_HEADER = env.str("REQUEST_ID_HEADER", default="").lower()
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_HOST = env.str("METRICS_HOST", default="127.0.0.1")
METRICS_PORT = env.int("METRICS_PORT", default=0)
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 20:
    raise ImproperlyConfigured("METRICS_TOKEN is a key to the site's figures: at least 20 characters.")

# What is logged, and what never is; where it is kept is said for `check --deploy` alone
LOGS_TO = env.str("LOGS_TO", default="")
LOGGING = logs.config(dsn=SENTRY_DSN)

# What a browser may do here
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],  # WebAssembly only where it runs: generation/on_device.py, file_headers.py
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "blob:", "data:"],
        "connect-src": [SELF, "blob:"],
        "worker-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF, *(STRIPE_PAGES if BILLING else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Transport: in production TLS only, by a proxy in front that says so in a header of its own.
SECURE_CROSS_ORIGIN_OPENER_POLICY = None  # modelmyimage/everywhere.py says it, of pages alone
SECURE_SSL_REDIRECT = not LOCAL
SECURE_REDIRECT_EXEMPT = [r"^api/"]  # modelmyimage/api_edge.py refuses: a program that is led on never learns of it
SESSION_COOKIE_SECURE = not LOCAL
CSRF_COOKIE_SECURE = not LOCAL
CSRF_COOKIE_HTTPONLY = True  # pages have the token in their forms
MESSAGE_STORAGE = "modelmyimage.notices.Notices"
MESSAGES_COOKIE_NAME = "messages"
if not LOCAL:  # a browser takes a name with this prefix over TLS alone, and from no sibling of the host
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-django_language"
    THEME_COOKIE_NAME = "__Host-theme"
    MESSAGES_COOKIE_NAME = "__Host-messages"
SECURE_HSTS_SECONDS = 0 if LOCAL else env.int("HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=True)
PROXY_SSL_HEADER = env.str("PROXY_SSL_HEADER", default="")
if PROXY_SSL_HEADER:
    SECURE_PROXY_SSL_HEADER = ("HTTP_" + PROXY_SSL_HEADER.upper().replace("-", "_"), "https")
# Whether a domain is on the browsers' own list is for its owner to say, not for us.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
