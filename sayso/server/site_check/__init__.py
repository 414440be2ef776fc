"""`sayso site check`: what a page of yours does before, without and after a yes, seen by a browser as a stranger.

`report` is pure: what was seen and what is wrong with it. `visits` opens the page; `chromium` finds a browser for it.
"""

from sayso.server.site_check.chromium import CannotCheck
from sayso.server.site_check.report import SiteReport, judged
from sayso.server.site_check.visits import Wish, check_site

__all__ = ["CannotCheck", "SiteReport", "Wish", "check_site", "judged"]
