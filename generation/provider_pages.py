"""Who may receive photos here, for everybody to read, and who may receive one's own, for its owner to limit."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from generation import choices, offering, registry
from generation.models import ProcessingLimits
from generation.restrictions import Restrictions
from generation.wording import said
from privacy.requests import handling
from privacy.requests.rights import Right

NO_PLACE = _later("Choose at least one place, or let photos go anywhere.")

DONE = _later("You limited who may receive your photos. It holds from the next step of every job on.")


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """Every provider that is set up here, from its card: where, how long, on what terms, at what price."""
    # This site's own engine first, then its operator's machines, then other companies.
    cards = sorted(registry.cards(), key=lambda card: (card.name != registry.DEFAULT, not card.self_hosted))
    shown = [{"card": card, "region": choices.region(card.region)} for card in cards]
    return render(request, "generation/providers.html", {"providers": shown})


class LimitsForm(forms.Form):
    """Who may not get the photos of an account."""

    self_hosted = forms.BooleanField(required=False)
    no_retention = forms.BooleanField(required=False)
    no_training = forms.BooleanField(required=False)
    anywhere = forms.ChoiceField(choices=[("yes", ""), ("no", "")], initial="yes", required=False)
    regions = forms.MultipleChoiceField(required=False)
    never = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: object, kept: Restrictions, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        cards = registry.cards()
        # What was chosen before stays a choice, though its provider is gone.
        codes = {card.region for card in cards if card.region} | (kept.regions or frozenset())
        names = {card.name: said(card.label) for card in cards} | {
            name: name for name in kept.never if name not in {card.name for card in cards}
        }
        self.fields["regions"].choices = [(code, choices.region(code)) for code in sorted(codes)]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["never"].choices = list(names.items())  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> None:
        """Refuse a choice of places that names none: it would shut everybody out by oversight."""
        super().clean()
        if self.cleaned_data.get("anywhere") == "no" and not self.cleaned_data.get("regions"):
            self.add_error("regions", NO_PLACE)

    def restrictions(self) -> Restrictions:
        """The choices of a valid form."""
        data = self.cleaned_data
        return Restrictions(
            regions=frozenset(data["regions"]) if data["anywhere"] == "no" else None,
            no_retention=data["no_retention"],
            no_training=data["no_training"],
            self_hosted=data["self_hosted"],
            never=frozenset(data["never"]),
        )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    """See and change who may receive one's photos; holds for jobs that are under way, too."""
    assert isinstance(request.user, User)
    kept = ProcessingLimits.of(request.user.pk)
    if request.method == "POST":
        form = LimitsForm(request.POST, kept=kept)
        if form.is_valid():
            chosen = form.restrictions().stored()
            ProcessingLimits.objects.update_or_create(owner=request.user, defaults={"restrictions": chosen})
            if chosen and chosen != kept.stored():
                handling.fulfilled_at_once(request.user, Right.RESTRICTION, DONE)
            messages.success(request, _("Saved. It holds from now on, for jobs that are under way, too."))
            return redirect("generation:limits")
    else:
        initial = {
            "self_hosted": kept.self_hosted,
            "no_retention": kept.no_retention,
            "no_training": kept.no_training,
            "anywhere": "yes" if kept.regions is None else "no",
            "regions": sorted(kept.regions or ()),
            "never": sorted(kept.never),
        }
        form = LimitsForm(initial=initial, kept=kept)
    left = [
        {"card": card, "allowed": kept.allow(card), "reasons": offering.reasons(kept, card)}
        for card in registry.cards()
    ]
    context = {"form": form, "providers": left, "none_left": not any(one["allowed"] for one in left)}
    return render(request, "generation/limits.html", context, status=422 if form.errors else 200)
