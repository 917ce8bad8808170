"""Find plugins, load each alone, remember what happened.

discovery   which plugins there are: built in, installed, and the single files of a project
isolation   run a plugin's code so that its failure stays its own
loading     import one plugin and ask it what it brings
shapes      whether a class is what it says it is
shelves     who provides which word, and which words nobody can use
listing     what is shown of a plugin, and packs beside them
details     all there is to say of what a plugin provides
rules       what a class should be, beside its shape
inspection  whether plugins work and keep the rules
uses        where a project uses them
limits      how long a plugin may take
tracing     what plugins were asked, noted
secrets     the secrets of a project, found and hidden
settings    a plugin's settings, checked and explained
host        all of it behind one object
"""

from kpi_engine.plugins.host import Plugins
from kpi_engine.plugins.isolation import blame
from kpi_engine.plugins.listing import PluginInfo
from kpi_engine.plugins.settings import configure

__all__ = ["PluginInfo", "Plugins", "blame", "configure"]
