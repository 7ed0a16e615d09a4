"""What is the subject: one rule from any picture to an alpha channel.

A picture that brings transparency of its own says so itself, and keeps everything it shows. Otherwise the network
looks twice (roughly at the whole picture, then finely at the part it found), GrabCut moves the outline to the
nearest edge in colour, and of what is left the main subject stays, or everything when that is asked for. Without
the network, GrabCut works from the border of the picture alone.
"""

from collections.abc import Callable
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import NoSubject, TooSmall, TooThin
from .saliency import saliency
from .subjects import SPECK_SHARE, main_subject, tidy

# A picture has transparency of its own when more than this share of it is clear.
CLEAR_SHARE = 0.005
# Sides of the squares that the network sees: of the whole picture, and of the part it found.
ROUGH_SIDE, FINE_SIDE = 192, 256
# So much of the part's size is added around it for the second look, and for GrabCut.
SECOND_MARGIN, MARGIN = 0.12, 0.1
# GrabCut works on a picture of this many pixels along the longest side.
WORKING_SIDE = 384
# Smaller than this many pixels along its longest side, a subject has no shape to speak of.
SMALLEST_SIDE = 24
# Half the width of its thickest part must reach both: in pixels, and as a share of its longest side.
THINNEST_PIXELS = 1.5
THINNEST_SHARE = 0.0045
# Above and below, the network's word is final.
SURELY, SURELY_NOT = 0.9, 0.1
# GrabCut takes for certain what lies this many pixels, at working size, inside or outside all doubt.
CERTAIN = 4
# Narrower than this many pixels at working size, a part is thin.
THIN = 15
# Colours and network must agree on at least this much of the subject for the colours to be heard at all.
TRUSTED_AGREEMENT = 0.6
# The subject is cut off when the picture's border runs through it for this share of its longest side.
BORDER_SHARE = 0.1

Mask = NDArray[np.bool_]
Pixels = TypeVar("Pixels", NDArray[np.uint8], NDArray[np.float32])


def has_alpha(rgba: NDArray[np.uint8]) -> bool:
    """Whether an (h, w, 4) picture's own transparency says what the subject is."""
    return float((rgba[..., 3] < 128).mean()) > CLEAR_SHARE


def find_mask(
    rgba: NDArray[np.uint8], *, keep_all: bool, threads: int, progress: Callable[[int], None]
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Alpha (h, w; 255 = subject) of an (h, w, 4) picture, and codes of what the user should know.

    ``keep_all``: every subject, not only the main one. ``progress`` hears percentages in rising order.
    Raises NoSubject.
    """
    if own := has_alpha(rgba):
        alpha = rgba[..., 3].copy()
        everything = tidy(alpha > 127, island_share=SPECK_SHARE)
        alpha[~everything] = 0
        # Only whether there are others is asked. In a smaller picture, what is thinner than a pixel stays.
        others = main_subject(_shrunk(everything.astype(np.float32)) > 0)[1]
    else:
        alpha, others = _find(np.ascontiguousarray(rgba[..., :3]), keep_all, threads, progress)
    subject = alpha > 127
    require_shape(subject)
    found = {
        "touches_border": _cut_off(subject, fitted=own),
        "several_subjects": others and (own or keep_all),
        "others_left_out": others and not (own or keep_all),
    }
    return alpha, tuple(code for code, so in found.items() if so)


def require_shape(subject: Mask) -> None:
    """Raise NoSubject, TooSmall or TooThin when the mask (h, w) is empty, tiny, or nothing but a hairline."""
    flags = np.pad(subject.astype(np.uint8), 1)
    _, _, w, h = cv2.boundingRect(flags)
    if w == 0:
        raise NoSubject("No subject found.")
    if max(w, h) < SMALLEST_SIDE:
        raise TooSmall("The subject is too small.")
    radius = float(cv2.distanceTransform(flags, cv2.DIST_L2, cv2.DIST_MASK_5).max())
    if radius < max(THINNEST_PIXELS, THINNEST_SHARE * max(w, h)):
        raise TooThin("The subject is too thin.")


def _cut_off(subject: Mask, *, fitted: bool) -> bool:
    """Whether the border of the picture runs through the mask (h, w).

    ``fitted``: a picture that ends on all four sides where its subject does was cut to it, not through it.
    """
    sides = (subject[0], subject[-1], subject[:, 0], subject[:, -1])
    if fitted and all(side.any() for side in sides):
        return False
    _, _, w, h = cv2.boundingRect(subject.astype(np.uint8))
    return max(int(side.sum()) for side in sides) > BORDER_SHARE * max(w, h)


def _find(
    rgb: NDArray[np.uint8], keep_all: bool, threads: int, progress: Callable[[int], None]
) -> tuple[NDArray[np.uint8], bool]:
    """Alpha (h, w) of an opaque picture, and whether there is more than one subject."""
    likely = _look_twice(rgb, threads, progress)
    progress(70)
    if likely is None:
        part = slice(0, rgb.shape[0]), slice(0, rgb.shape[1])
        found = _from_border(_shrunk(rgb))
    else:
        part = _around(likely > SURELY_NOT, MARGIN)
        found = _refine(_shrunk(rgb[part]), _shrunk(likely[part]))
    found = tidy(found)
    main, others = main_subject(found)
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    alpha[part] = _enlarge(found if keep_all else main, *alpha[part].shape)
    return alpha, others


def _look_twice(rgb: NDArray[np.uint8], threads: int, progress: Callable[[int], None]) -> NDArray[np.float32] | None:
    """Saliency (h, w; 0..1): of the picture, then again of the part found, averaged. None without the network."""
    height, width = rgb.shape[:2]
    rough = saliency(rgb, side=ROUGH_SIDE, threads=threads)
    progress(40)
    if rough is None:
        return None
    likely = np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    if not rough.any():
        return likely
    part = _around(tidy(likely > 0.5), SECOND_MARGIN)
    fine = saliency(rgb[part], side=FINE_SIDE, threads=threads)
    if fine is not None and fine.any():
        rows, columns = likely[part].shape
        likely[part] = (likely[part] + cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_LINEAR)) / 2
    return likely


def _around(mask: Mask, margin: float) -> tuple[slice, slice]:
    """Rows and columns of the box around a mask (h, w), wider by a share of itself all round; all if it is empty."""
    if not mask.any():
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    dx, dy = round(margin * w), round(margin * h)
    return slice(max(0, y - dy), y + h + dy), slice(max(0, x - dx), x + w + dx)


def _shrunk(picture: Pixels) -> Pixels:
    """A picture (h, w) or (h, w, 3) at working size."""
    height, width = picture.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), picture.dtype)


def _refine(rgb: NDArray[np.uint8], likely: NDArray[np.float32]) -> Mask:
    """The network's answer (h, w) with its outline moved to the nearest edge in colour."""
    guess = np.asarray(likely > 0.5, np.bool_)
    disc = _disc(2 * CERTAIN + 1)
    labels = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[cv2.erode((likely > 0.97).astype(np.uint8), disc) > 0] = cv2.GC_FGD
    labels[cv2.dilate((likely >= 0.03).astype(np.uint8), disc) == 0] = cv2.GC_BGD
    refined = _grab_cut(rgb, labels, rounds=1)
    if refined is None:
        return guess
    # Where colour disagrees with the network altogether, subject and background look alike: believe it.
    agreement = (refined & guess).sum() / max(1, (refined | guess).sum())
    if agreement <= TRUSTED_AGREEMENT:
        return guess
    # A ragged outline is noise; and colour has no say where the network is sure, nor over a handle or a wire,
    # which it takes for background far too easily.
    smooth = cv2.medianBlur(refined.astype(np.uint8), 5) > 0
    thin = guess & (cv2.morphologyEx(guess.astype(np.uint8), cv2.MORPH_OPEN, _disc(THIN)) == 0)
    return np.asarray((smooth & (likely > SURELY_NOT)) | (likely > SURELY) | thin, np.bool_)


def _disc(width: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), np.uint8)


def _from_border(rgb: NDArray[np.uint8]) -> Mask:
    """The subject (h, w) of a picture whose outermost 4 % is taken for background."""
    height, width = rgb.shape[:2]
    labels = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    dy, dx = max(1, round(0.04 * height)), max(1, round(0.04 * width))
    labels[:dy], labels[-dy:], labels[:, :dx], labels[:, -dx:] = (cv2.GC_BGD,) * 4
    found = _grab_cut(rgb, labels, rounds=5)
    return np.zeros((height, width), np.bool_) if found is None else found


def _grab_cut(rgb: NDArray[np.uint8], labels: NDArray[np.uint8], *, rounds: int) -> Mask | None:
    """GrabCut from ``labels``; None when there is only one colour, or only subject or only background."""
    subject = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if subject.all() or not subject.any() or int(np.ptp(rgb.reshape(-1, 3), axis=0).max()) < 4:
        return None
    cv2.setRNGSeed(0)  # its clustering draws random numbers; equal input must give equal output
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    whole = (0, 0, rgb.shape[1], rgb.shape[0])  # not looked at in this mode
    out, _, _ = cv2.grabCut(rgb, labels.copy(), whole, background, foreground, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((out == cv2.GC_FGD) | (out == cv2.GC_PR_FGD), np.bool_)


def _enlarge(subject: Mask, height: int, width: int) -> NDArray[np.uint8]:
    """A mask at working size as a smooth alpha channel with an edge about two pixels wide."""
    factor = max(width / subject.shape[1], height / subject.shape[0])
    soft = cv2.GaussianBlur(subject.astype(np.float32), (0, 0), 1.0)
    soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    steepness = max(1.0, factor)
    return np.asarray(np.clip(((soft - 0.5) * steepness + 0.5) * 255, 0, 255).round(), np.uint8)
