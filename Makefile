# What people run by hand. CI runs the same commands: see .ci/run.

.DEFAULT_GOAL := help
SHELL := bash
FUZZTIME ?= 10s
SOAKTIME ?= 1h

modules = $(shell go list -m -f '{{.Dir}}')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build the sluice command into bin/
	go build -o bin/ ./cmd/sluice

.PHONY: up
up: build ## run all of Sluice in one process (Ctrl-C ends it)
	exec bin/sluice up

.PHONY: test
test: ## run every test
	go test work

.PHONY: race
race: ## run every test under the race detector
	go test -race work

.PHONY: soak
soak: ## break Sluice in all ways, with fresh seeds, for an hour (SOAKTIME=10m, SOAKFLAGS=-fault.seed=1)
	go test -v -timeout 0 -run TestFaults ./test/fault -fault.long -fault.for $(SOAKTIME) $(SOAKFLAGS)

.PHONY: fuzz
fuzz: ## fuzz each parser for a short while (FUZZTIME=1m for longer)
	grep -rEo --include='*_test.go' '^func Fuzz\w+' $(modules) | while IFS=: read -r file name; do \
		go test -run '^$$' -fuzz "^$${name#func }$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit; \
	done

.PHONY: bench
bench: ## measure the speed of loading beside psql, into docs/benchmarks.md (BENCHFLAGS=-h for flags)
	go build -o bin/ ./test/bench
	bin/bench $(BENCHFLAGS)

.PHONY: compare
compare: ## measure other loaders beside Sluice, into docs/benchmarks.md (needs pgloader, ogr2ogr, Node and npm)
	go build -o bin/ ./test/bench
	bin/bench --others --postgres 15 --sizes 100MB --rounds 3 $(BENCHFLAGS)

.PHONY: lint
lint: bin/golangci-lint bin/buf ## vet and lint every module, and the protobuf definitions
	go vet work
	bin/golangci-lint run $(addsuffix /...,$(modules))
	bin/buf lint pkg/proto
	bin/buf format --diff --exit-code pkg/proto

.PHONY: lint-api
lint-api: ## lint the document of the API (needs Node 18.17 or later and npm)
	npx --yes @redocly/cli@1.34.5 lint services/api/openapi/openapi.yaml

.PHONY: generate
generate: ## make the generated code anew
	go generate work

.PHONY: tidy
tidy: ## tidy go.mod and go.sum of every module
	for dir in $(modules) tools tools/buf; do GOWORK=off go -C "$$dir" mod tidy || exit; done

.PHONY: tools
tools: ## build the pinned tools into bin/: golangci-lint, nats, oapi-codegen, buf and its plugins
	GOWORK=off go -C tools build -o ../bin/ tool
	GOWORK=off go -C tools/buf build -o ../../bin/ tool

bin/golangci-lint bin/buf &: tools/go.mod tools/buf/go.mod
	$(MAKE) tools

.PHONY: ci
ci: ## run what CI runs
	.ci/run

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist
