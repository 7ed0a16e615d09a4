"""What we promise: the words, the exceptions that limit them, and the mechanism: the files and the tests of them.

One list; pages and documents show each promise with all three, so that no promise stands without its exceptions. A test
fails when a file or a test that is named here does not exist.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as later

from trust.promise import Promise

OTHERS = later(
    "What a provider of another company keeps or does is by its own terms; the list of sub-processors says what it "
    "says."
)

PROMISES = (
    Promise(
        "sealed",
        later(
            "A photo is encrypted as it comes in, under a random key of its own, and is on no disk in the clear. So is "
            "the model. The server opens them only to work on them."
        ),
        (
            later("Whoever controls the machine while a job runs could read what it works on."),
            later("Memory that the operating system moves to a swap file is outside our program."),
            later("A provider of another company gets what it has to work on in the clear, over TLS."),
        ),
        ("generation/uploads.py", "privacy/sealing.py", "privacy/crypto.py"),
        (
            "tests/generation/test_uploads.py::test_a_photo_is_sealed_and_never_in_a_file",
            "tests/test_canary_hunt.py::test_nothing_is_found_while_it_works_nor_after",
        ),
    ),
    Promise(
        "keys",
        later(
            "Keys of photos and models are in memory only, on a server that writes nothing to disk. Each key ends by "
            "itself {key}, even if everything else has stopped."
        ),
        (
            later(
                "A deployment check refuses a key store that writes to disk; whoever runs the site could ignore the "
                "check."
            ),
        ),
        ("privacy/keystore.py", "privacy/checks.py"),
        (
            "tests/privacy/test_vault.py::test_the_key_dies_by_itself_a_little_after_the_blob",
            "tests/privacy/test_checks.py::test_a_key_store_that_writes_to_disk_is_refused",
        ),
    ),
    Promise(
        "stripped",
        later(
            "Place, camera, date and every other tag are removed from a photo before anything is built from it, and "
            "before anybody else gets it. File names are not kept."
        ),
        (later("What the picture itself shows stays in it: a face, a street sign, a number plate."),),
        ("generation/images.py", "generation/untag.py"),
        (
            "tests/generation/test_images.py::test_formats_are_told_by_content_and_tags_go",
            "tests/generation/test_images.py::test_phone_photo_is_upright_and_says_nothing",
        ),
    ),
    Promise(
        "destroyed",
        later(
            "Your photo is destroyed as soon as your model is accepted or the job is over, your model as soon as you "
            "have saved it or its time is up. Destroyed means: the key is dropped, the bytes are deleted, and we asked "
            "for them again in vain."
        ),
        (
            later(
                "If a machine of ours stops mid-job, sealed bytes outlive it until the next sweep. The longest time is "
                "for a photo {source}; for a model {asset}."
            ),
            later("If a store does not answer, the receipt says what we could not confirm, and we go on trying."),
            OTHERS,
        ),
        ("privacy/destruction.py", "privacy/retention.py", "generation/delivery.py"),
        (
            "tests/privacy/test_destruction.py::test_destroyed_means_asked_for_again_in_vain",
            "tests/generation/test_crash_matrix.py::test_every_crash_ends_well",
        ),
    ),
    Promise(
        "receipts",
        later(
            "Each job ends with a signed receipt that says what was destroyed, when, and who had received the photo. "
            "It goes into a public log that cannot be rewritten unseen. Anybody can check it without trusting us."
        ),
        (
            later("A receipt says what we saw ourselves do. It does not prove that no copy exists."),
            later("It repeats what a provider says of its copies; it cannot vouch for that."),
        ),
        ("privacy/receipts.py", "privacy/log.py", "verifier/verify.py"),
        (
            "tests/privacy/test_receipts.py::test_any_changed_byte_fails",
            "tests/privacy/test_log.py::test_a_restored_backup_is_named_a_fork",
        ),
    ),
    Promise(
        "periods",
        later(
            "Everything with a period is deleted by the clock when it is over, and an audit looks for what is older."
        ),
        (
            later(
                "If whoever runs this site backs up the database, what was deleted lasts in the backups until these "
                "are overwritten. Photos and models cannot be opened from a backup: their keys are in none."
            ),
            later("What the books rest on is kept {books}."),
        ),
        ("privacy/retention.py", "privacy/audit.py"),
        ("tests/privacy/test_periods.py::test_what_is_older_is_named_and_goes",),
    ),
    Promise(
        "training",
        later(
            "We train nothing on your photos or models. The engine’s own network was trained before, on openly "
            "licensed objects; the program that serves you cannot even load the code that trains."
        ),
        (
            later(
                "A provider of another company may; its card says so, or says nothing. You can rule such providers out "
                "(Account, “Who may receive my photos”)."
            ),
        ),
        ("docs/engine.md", "pyproject.toml"),
        ("tests/test_imports.py::test_contract",),
    ),
    Promise(
        "choice",
        later(
            "You choose who makes your model, for one job or for all: by name, country, only where nothing is kept, "
            "only where nothing is learnt, only on this site’s own machines. What you ruled out is never overridden."
        ),
        (
            later("A provider is judged by what its card says; what it does not say counts as the worst."),
            later("A limit holds from the moment you set it; a photo that was handed over before is at the provider."),
        ),
        ("generation/restrictions.py", "generation/routing.py"),
        (
            "tests/generation/test_routing.py::test_restrictions_only_ever_narrow",
            "tests/generation/test_provider_pages.py::test_limits_are_saved_shown_and_honoured",
        ),
    ),
    Promise(
        "cut_out",
        later(
            "A provider of another company gets your object cut out of the photo, without tags, name, address or "
            "account. When the job is over it is told to erase what it has, where it offers that."
        ),
        (
            later("With “Keep everything” it gets the whole picture."),
            later("If one provider fails, the next that you allow gets it too; the receipt names each."),
            OTHERS,
        ),
        ("generation/dispatching.py", "generation/erasing.py"),
        (
            "tests/generation/test_pipeline.py::test_remote_provider_gets_only_the_cut_out_and_is_told_to_erase",
            "tests/generation/test_pipeline.py::test_everything_is_kept_if_its_owner_says_so",
        ),
    ),
    Promise(
        "hosts",
        later("Our program talks to a provider at the hosts on its card and at no others, whatever it answers."),
        (),
        ("generation/egress.py",),
        (
            "tests/generation/test_egress.py::test_refuses_every_other_host_before_it_looks_it_up",
            "tests/generation/test_egress.py::test_redirects_pass_through_the_same_gate",
        ),
    ),
    Promise(
        "confined",
        later(
            "Photos and models from outside are read in a process that can do nothing but compute, and made anew "
            "before anybody else sees them."
        ),
        (later("This needs Linux; `make run` on another system does without it."),),
        ("generation/confined.py", "generation/meshes.py"),
        ("tests/generation/test_confined.py::test_confined_process_cannot",),
    ),
    Promise(
        "owners",
        later("Only whoever made a job sees it and can fetch its model."),
        (
            later("Those who run the site’s machines could, while the model exists."),
            later("Operators see accounts, orders and payments on their own pages, and what they do there is noted."),
        ),
        ("generation/views.py",),
        ("tests/generation/test_views.py::test_every_address_is_the_owners_alone",),
    ),
    Promise(
        "logs",
        later(
            "Our logs hold times, codes and numbers. No addresses, no names, nothing of a photo. There is no access "
            "log."
        ),
        (
            later("A proxy or host in front of the site may keep logs of its own. Ask whoever runs it."),
            later(
                "While you are signed in, your IP address and browser are noted beside your session, for you to see."
            ),
        ),
        ("modelmyimage/logs.py", "modelmyimage/web.py"),
        (
            "tests/test_logs.py::test_arguments_that_may_be_data_are_left_out",
            "tests/test_logs.py::test_an_exception_is_a_type_and_places",
        ),
    ),
    Promise(
        "sign_in",
        later(
            "You can sign in by a mailed code, a password or a passkey, with a second factor if you like. Tries are "
            "limited. Passwords are kept as digests; seeds of authenticator apps lie encrypted."
        ),
        (later("Whoever reads your mail can sign in by a mailed code, unless you have a second factor."),),
        ("accounts/secrets.py", "modelmyimage/settings.py"),
        (
            "tests/accounts/test_signing_in.py::test_wrong_passwords_are_limited_for_the_right_one_too",
            "tests/accounts/test_account_pages.py::test_second_factors_want_the_password_again",
        ),
    ),
    Promise(
        "cookies",
        later(
            "We set cookies only to keep you signed in, to protect forms, to carry a note from one page to the next, "
            "and to remember a language and colours that you choose; none before it is needed. No page asks anything "
            "of another host."
        ),
        (later("If you buy, you pay on Stripe’s own pages, which set cookies of their own."),),
        ("modelmyimage/settings.py", "frontend/site.js"),
        ("tests/browser/test_documents.py::test_cookies_storage_and_hosts",),
    ),
    Promise(
        "copy",
        later("You get a copy of everything we hold about you, at once."),
        (later("Not in it: what somebody could sign in with, and what is about other people."),),
        ("privacy/export.py",),
        ("tests/test_export.py::test_everything_about_one_and_nothing_of_the_others",),
    ),
    Promise(
        "credits",
        later(
            "A job that fails, or that you cancel before its model is ready, costs nothing. No credit is lost or spent "
            "twice."
        ),
        (later("What a refund takes back and is spent already is owed, and paid by what comes in next."),),
        ("billing/ledger.py", "generation/pipeline.py"),
        (
            "tests/generation/test_pipeline.py::test_cancel_before_it_is_ready_costs_nothing",
            "tests/generation/test_pipeline.py::test_provider_that_fails",
            "tests/billing/test_database_refuses.py::test_no_balance_below_zero_even_past_the_ledger",
        ),
    ),
    Promise(
        "not_sold",
        later(
            "Nothing about anybody is sold, or shared for advertising. Global Privacy Control changes nothing here, "
            "because there is nothing to change."
        ),
        (),
        ("privacy/well_known.py",),
        ("tests/privacy/test_well_known.py::test_the_signal_changes_nothing_and_is_kept_nowhere",),
    ),
    Promise(
        "told",
        later(
            "Of a change of substance in our documents you are told by mail and on every page before it takes effect. "
            "Every version stays readable, and so does what changed."
        ),
        (
            later("Whether a change is of substance is said by whoever writes it; who receives data counts by itself."),
            later("Mail that your mail service refuses does not reach you; the note on the pages does."),
        ),
        ("trust/publishing.py", "trust/notices.py", "trust/banner.py"),
        (
            "tests/trust/test_notices.py::test_one_mail_for_each_account_however_many_workers",
            "tests/trust/test_banner.py::test_it_is_shown_until_it_is_put_away",
        ),
    ),
)
