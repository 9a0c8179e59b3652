# SPDX-License-Identifier: GPL-3.0-or-later
# check_schema.py SCHEMA GOOD... -- BAD...: the schema is one, takes the good recipes, and not the bad ones.
import json, re, sys
import jsonschema, yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2, as editors and sskit read it: `yes` is a text, 4e-3 a number."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", "true|false", "tf"),
    ("int", "[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf", "-+.0123456789"),
]:
    Loader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(" + pattern + ")$"), list(first))
# Its own constructor knows `1e3` as no float.
Loader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node).replace(".inf", "inf"))
)


def read(path):
    return yaml.load(open(path), Loader)


schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
cut = sys.argv.index("--")
failed = 0
for path in sys.argv[2:cut]:
    for error in validator.iter_errors(read(path)):
        print("#", path, list(error.path), error.message[:200])
        failed += 1
for path in sys.argv[cut + 1 :]:
    if validator.is_valid(read(path)):
        print("#", path, "is taken")
        failed += 1
sys.exit(failed > 0)
