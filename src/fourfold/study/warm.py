"""What a cell's process needs before it begins, imported once in the process that all of them are forked from."""

import fourfold.records.environment
import fourfold.records.index
import fourfold.run.parts
import fourfold.run.run

for _table in fourfold.run.parts.TABLES.values():
    for _name in _table:
        _table.config_class(_name)
fourfold.records.environment.package_versions()
