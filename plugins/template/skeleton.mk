# Builds the @KIND@ `example` against the sskit that pkg-config finds.
#   make            the plugin, into plugins/@KIND@/
#   make check      does it keep to the contract?
#   make train      a small training with it
CFLAGS = -g -O2 -Wall -Wextra
PKG_CONFIG = pkg-config
SSKIT = sskit
plugin = plugins/@KIND@/example.so

# sskit refuses plugins that others may write, hence the umask.
$(plugin): example.c
	umask 022; mkdir -p $(@D)
	umask 022; $(CC) -std=gnu17 $(CFLAGS) -fPIC -shared -fvisibility=hidden -Wl,-z,defs \
	  `$(PKG_CONFIG) --cflags sskit` example.c -o $@ $(LDFLAGS) `$(PKG_CONFIG) --libs sskit` -lm

check: $(plugin)
	$(SSKIT) plugin check $(plugin)

train: $(plugin)
	$(SSKIT) --plugin-dir plugins train example.yaml -o runs/example
	$(SSKIT) --plugin-dir plugins evaluate runs/example

clean:
	rm -rf plugins

.PHONY: check train clean
