"""How long a sender is waited for, by what is waited for."""

from __future__ import annotations

import math
from collections.abc import Callable

from bridge.hl7v2.framing import Framer
from bridge.settings import Mllp

#: seconds a sender that was hung up on may take to read its last answer
LINGER_SECONDS = 5.0
#: seconds without the beginning of a frame after which a sender does not speak MLLP
STRAY_SECONDS = 5.0
#: seconds the handshake of TLS may take
HANDSHAKE_SECONDS = 10.0


class Deadline:
    """When one sender has been waited for too long; the listener looks at it now and then."""

    def __init__(self, settings: Mllp, now: Callable[[], float]) -> None:
        self._settings = settings
        self._now = now
        #: TLS has not said yet who this is
        self.shaking = settings.tls is not None
        self.at = math.inf

    def lift(self) -> None:
        """Wait as long as it takes."""
        self.at = math.inf

    def allow(self, seconds: float) -> None:
        """Wait so long from now on."""
        self.at = self._now() + seconds

    def allow_next(self, framer: Framer) -> None:
        """Give the sender its time for what is under way, or for the next frame to begin."""
        if self.shaking:
            self.allow(HANDSHAKE_SECONDS)
        elif framer.inside:
            self.allow(self._settings.frame_seconds)
        elif framer.partial:
            self.allow(STRAY_SECONDS)
        else:
            self.allow(self._settings.idle_seconds or math.inf)
