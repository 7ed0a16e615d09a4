"""Which things hang together: connected parts of a graph.

Labels spread along the links, each to the smaller one, and are followed to their ends (Shiloach and Vishkin 1982).
"""

import numpy as np
from numpy.typing import NDArray


def parts(count: int, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number (count,) of the part each thing belongs to, from 0; ``links`` (n, 2) join two things each."""
    label = np.arange(count)
    one, other = links.T
    while True:
        lower, higher = np.minimum(label[one], label[other]), np.maximum(label[one], label[other])
        apart = lower != higher
        if not apart.any():
            return np.asarray(np.unique(label, return_inverse=True)[1].ravel(), np.int64)
        np.minimum.at(label, higher[apart], lower[apart])
        while not np.array_equal(label, label[label]):
            label = label[label]
