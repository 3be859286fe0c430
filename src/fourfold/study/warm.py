"""What a worker needs before it begins, imported once in the process that all of them are forked from."""

import gc

import fourfold.records.environment
import fourfold.run.parts
import fourfold.run.run

fourfold.run.parts.installed_parts()
fourfold.records.environment.package_versions()
gc.freeze()  # a collection would write to every object, and so copy the memory that workers share
