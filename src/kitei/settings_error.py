"""The one error of the settings, apart from them so that explaining it does not import them again."""


class ConfigurationError(Exception):
    """A setting is wrong. The text says which, and what to write instead; Japanese, then English."""
