EXTRA_DIST += scripts/setup.sh scripts/quickstart scripts/check scripts/format
