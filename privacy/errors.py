"""What can go wrong with stored bytes. No message ever carries anything of a photo: no bytes, no tags, no name.

VaultError
├── Gone            destroyed, expired, never finished, or never there
├── KeyLost         the object may be there, but nobody can open it any more
├── Tampered        the object is not the one we sealed
├── TooLarge        the writer's limit was passed
└── Unavailable     the store or the key store did not do what it was asked; asking again may help
    └── VersionsKept    the bucket keeps old versions, so deleting does not destroy
"""


class VaultError(Exception):
    """Something is wrong with a stored blob."""


class Gone(VaultError):
    """The blob is destroyed, past its retention, unfinished or unknown."""


class KeyLost(VaultError):
    """The blob's key is in the key store no more, or was wrapped by a master key that we do not have."""


class Tampered(VaultError):
    """The object is truncated, altered, lengthened or another one."""


class TooLarge(VaultError):
    """More bytes than the writer may take."""


class Unavailable(VaultError):
    """The store or the key store failed or could not be reached."""


class VersionsKept(Unavailable):
    """The bucket keeps versions: a deleted object can be brought back."""
