"""The codes a job can fail or be warned with, and what its owner is told: what happened, what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAILURES: dict[str, Promise] = {
    "no_subject": _(
        "We could not find an object in the photo. Try one object, fully in the frame, "
        "on a background that differs from it."
    ),
    "subject_too_small": _(
        "The object is too small in the photo to have a shape. Go nearer, or cut the photo down to it."
    ),
    "subject_too_thin": _(
        "All that stands out in the photo is too thin to model, like a thread. Show the object from a wider side."
    ),
    "key_lost": _(
        "The key that could open your files was lost when a machine of ours stopped, so nobody can read them "
        "any more. Please send the photo again."
    ),
    "source_gone": _("The photo's time here ran out before it could be used. Please send it again."),
    "tampered": _("A stored file did not match what we had sealed, so we did not use it."),
    "store_down": _("Our storage did not answer for too long. Please try again in a few minutes."),
    "no_provider": _("No provider could take the job just now. Please try again in a few minutes."),
    "provider_busy": _("Every place at the provider was taken for too long. Please try again later."),
    "provider_misconfigured": _("The provider is not set up correctly here. Its operator has been told."),
    "provider_lost": _("The provider lost the job. Please try again, or choose another provider."),
    "restricted": _(
        "Your limits on who may receive a photo leave nobody who could take this job. Change them, or choose otherwise."
    ),
    "provider_unclear": _(
        "The provider did not say whether it took the photo. The receipt names what could not be confirmed."
    ),
    "back_differs": _(
        "The photo of the back has quite another outline than the one of the front. Send the front alone, "
        "or take both from the same height and distance."
    ),
    "provider_failed": _(
        "The provider could not make a model from this photo. Try another photo, or another provider."
    ),
    "provider_declined": _(
        "The provider does not accept this photo or these choices. Try another photo, or another provider."
    ),
    "provider_unavailable": _("The provider stopped answering. Please try again in a few minutes."),
    "provider_too_slow": _("The provider did not finish in time. Please try again, or choose another provider."),
    "provider_unknown": _(
        "Our machine stopped while handing over the photo. The receipt names what we could not confirm."
    ),
    "bad_mesh": _("The file that came back was not a valid 3D model, so we did not pass it on."),
    "internal": _("Our machine stopped mid-job more than once. Please try again."),
}

WARNINGS: dict[str, Promise] = {
    "touches_border": _("The object is cut off by the edge of the photo; the model ends there too."),
    "several_subjects": _("There is more than one object in the photo; all of them are in the model."),
    "others_left_out": _(
        "There is more than one object in the photo; only the main one is in the model. "
        "With “Keep everything”, under “More options”, all of them are."
    ),
}

WAITS: dict[str, Promise] = {
    "provider_busy": _("Every place at the provider is taken. Your job is in line and starts by itself."),
    "providers_down": _(
        "No provider that may take this job answers just now. We keep trying for 20 minutes; "
        "if none comes back, your credits do."
    ),
}


def failure(code: str) -> str:
    """The sentence for a failure code; a code from an older version gets the general one."""
    return str(FAILURES.get(code, FAILURES["internal"]))


def wait(code: str) -> str:
    """The sentence for why a job waits, or an empty string."""
    return str(WAITS.get(code, ""))


def warning(code: str) -> str:
    """The sentence for a warning code, or an empty string for one we no longer know."""
    return str(WARNINGS.get(code, ""))
