"""Text: messages in two languages and the handling of Japanese characters."""

from kitei.foundation.text.messages import Message, UserError

__all__ = ["Message", "UserError"]
