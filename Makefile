# Every target installs what is missing on a fresh Debian 12, says so first, and is quick the next time.
# The work is done by scripts/, each of which can be run by itself; `. scripts/env.sh` sets up a shell in
# which plain cargo does what these targets do.

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench bench-kafka soak lint

help: ## print this list
	@echo "make TARGET [ARGS=...]"
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(MAKEFILE_LIST) | expand -t 15

setup: ## install what building and testing needs, and build RocksDB; the other targets do it themselves
	@scripts/setup.sh test
	@scripts/build-rocksdb.sh
	@scripts/kafka.sh prepare

demo: ## build ferris in release mode and run the demo
	@scripts/demo.sh $(ARGS)

test: ## run all tests beside a real Kafka and PostgreSQL; ARGS as for cargo test (-p PACKAGE, NAME)
	@scripts/test.sh $(ARGS)

bench: ## run the benchmarks; ARGS as for cargo bench
	@scripts/bench.sh $(ARGS)

bench-kafka: ## measure applications on Kafka beside Kafka Streams; ARGS: a word of the jobs' names
	@scripts/bench-kafka.sh $(ARGS)

soak: ## repeat the crash tests a hundred times; ARGS: names of tests
	@scripts/soak.sh $(ARGS)

lint: ## check formatting, lints and documentation
	@scripts/lint.sh
