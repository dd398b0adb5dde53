"""Who acts in a request, where the web room's views have always asked."""

from kitei.trust.access.requests import actor_of

__all__ = ["actor_of"]
