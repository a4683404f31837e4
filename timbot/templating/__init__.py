"""Replies from templates: compiled at load, in a sandbox, with bounds on what they may make.

A template comes from the operator or a plugin author, never from a person who chats: what people write is a value and is
never compiled. Even so a clumsy template must not stop the bot, so every rendering has a budget (`timbot.templating.limits`).
jinja2 is imported by the first `Templates`, pydantic by the first configuration type that has a template: `import` is cheap.
"""

from timbot.templating.errors import TemplateError
from timbot.templating.field import Variables
from timbot.templating.limits import MAX_OUTPUT
from timbot.templating.templates import Template, Templates
from timbot.templating.used import Use, templates_used

__all__ = ["MAX_OUTPUT", "Template", "TemplateError", "Templates", "Use", "Variables", "templates_used"]
