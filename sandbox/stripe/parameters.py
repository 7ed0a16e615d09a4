"""What a call may say: form fields, read by the parameter types that the official library declares for it.

Stripe refuses what it does not know; so does this. What Stripe knows and the stand-in does not do is refused as well,
with the code ``sandbox_unsupported``, rather than taken and forgotten.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import RequestOptions

from sandbox.stripe.refusal import Refusal
from sandbox.stripe.shapes import arms, is_free, resolve

NUMBER = re.compile(r"-?[0-9]{1,15}")
Raw = Any  # text, or a dict or list of such


def decode(form: str) -> dict[str, Raw]:
    """Nested fields from ``a[b][0]=c&…``; what is numbered becomes a list. ``Refusal`` for contradictions."""
    found: dict[str, Raw] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        path = [name.partition("[")[0], *re.findall(r"\[([^\]]*)\]", name)]
        here = found
        for part, following in itertools.pairwise(path):
            here = here.setdefault(part if part else str(len(here)), {})
            if not isinstance(here, dict):
                raise Refusal(f"Invalid {following}", param=name, kept=False)
        here[path[-1] or str(len(here))] = value
    return {name: _listed(value) for name, value in found.items()}


def _listed(value: Raw) -> Raw:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    return list(inner.values()) if inner and all(name.isdigit() for name in inner) else inner


@functools.cache
def fields(kind: type) -> tuple[dict[str, Any], frozenset[str]]:
    """The parameters of a call by name with their types, and which must be there."""
    own = RequestOptions.__annotations__ if issubclass(kind, dict) else {}
    declared = {name: hint for name, hint in inspect.get_annotations(kind).items() if name not in own}
    required: frozenset[str] = getattr(kind, "__required_keys__", frozenset())
    return {name: resolve(hint, kind.__module__) for name, hint in declared.items()}, required & declared.keys()


def read(kind: type, raw: dict[str, Raw], honours: Collection[str], at: str = "") -> dict[str, Any]:
    """The parameters with their types; ``at``: the path of the object they are in.

    ``honours``: paths (``a.b``) that the call acts on; a path without a longer one among them covers all below it.
    Raises ``Refusal``.
    """
    declared, required = fields(kind)
    for name in raw:
        path = f"{at}.{name}" if at else name
        if name not in declared:
            raise Refusal(
                f"Received unknown parameter: {_shown(path)}", code="parameter_unknown", param=_shown(path), kept=False
            )
        if honours and path not in honours and not any(one.startswith(f"{path}.") for one in honours):
            raise Refusal(f"The sandbox does not do {_shown(path)}.", code="sandbox_unsupported", param=_shown(path))
    for name in sorted(required - raw.keys()):
        param = _shown(f"{at}.{name}" if at else name)
        raise Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param, kept=False)
    return {name: _value(declared[name], one, honours, f"{at}.{name}" if at else name) for name, one in raw.items()}


def _below(honours: Collection[str], path: str) -> Collection[str]:
    return honours if any(one.startswith(f"{path}.") for one in honours) else ()


def _value(hint: Any, raw: Raw, honours: Collection[str], path: str) -> Any:
    choices = arms(hint)
    if isinstance(raw, dict):
        for one in choices:
            if is_free(one):
                return raw
            if hasattr(one, "__required_keys__"):
                return read(one, raw, _below(honours, path), path)
        raise Refusal(f"Invalid {_shown(path)}", param=_shown(path), kept=False)
    if isinstance(raw, list):
        for one in choices:
            if get_origin(one) is list:
                return [_value(get_args(one)[0], each, honours, path) for each in raw]
        raise Refusal(f"Invalid {_shown(path)}", param=_shown(path), kept=False)
    return _plain(choices, raw, path)


def _plain(choices: tuple[Any, ...], raw: str, path: str) -> Any:
    words = [word for one in choices if get_origin(one) is Literal for word in get_args(one)]
    if raw in words:
        return raw
    if bool in choices and raw in ("true", "false"):
        return raw == "true"
    if int in choices and NUMBER.fullmatch(raw):
        return int(raw)
    if float in choices or Decimal in choices:
        try:
            return str(Decimal(raw)) if Decimal in choices else float(raw)
        except ArithmeticError:
            pass
        except ValueError:
            pass
    if str in choices and not any(words):
        if not raw:
            raise _wrong(path, f"{_shown(path)} may not be empty.", "parameter_invalid_empty")
        return raw
    if any(words):
        raise _wrong(path, f"Invalid {_shown(path)}: must be one of {', '.join(filter(None, words))}")
    if int in choices:
        raise _wrong(path, f"Invalid integer: {raw}", "parameter_invalid_integer")
    raise _wrong(path, f"Invalid {'boolean' if bool in choices else 'object'}: {raw}")


def _wrong(path: str, message: str, code: str = "") -> Refusal:
    return Refusal(message, code=code, param=_shown(path), kept=False)


def _shown(path: str) -> str:
    first, *rest = path.split(".")
    return first + "".join(f"[{part}]" for part in rest)
