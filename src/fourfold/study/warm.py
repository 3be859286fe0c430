"""What a worker needs before it begins, imported once in the process that all of them are forked from."""

import gc

gc.disable()  # while half a million objects are made, to stay

from fourfold.records.environment import package_versions  # noqa: E402
from fourfold.run.parts import installed_parts  # noqa: E402
from fourfold.run.run import start  # noqa: E402, F401

installed_parts()
package_versions()
gc.enable()
gc.freeze()  # a collection would write to every object, and so copy the memory that workers share
