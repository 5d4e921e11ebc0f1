# The commands that README.md promises. Each is one line of intent; what takes more lives in a script beside what it serves.
SHELL := /bin/bash
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1
# Nothing here depends on a culture, so the SDK need not have libicu.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT := 1

.PHONY: build run test peers peers-undo bench format clean sdk

## out/bgpd and out/bgpctl: native, or what can be had instead; KIND=native or KIND=readytorun asks for that one, ARCH=arm64 for
## another machine
build: sdk
	@src/build '$(KIND)' $(ARCH)

## the main job in a lab of network namespaces: two nodes and a ToR. ARGS=--once checks and ends
run: sdk
	@lab/run $(ARGS)

## everything under tests/ and conformance/; the last line is the sum. What needs a daemon or tool that is not here is skipped
test: sdk
	@tests/run

## installs the daemons and tools that tests hold ours against, and says beforehand which (root, Debian)
peers:
	@tests/peers install

## removes exactly the packages that make peers, make build and make run have installed
peers-undo:
	@tests/peers undo

## microbenchmarks (ARGS="--filter '*Decode*'" for some), or figures of the whole: ARGS=services, docs/running.md lists them
bench: sdk
	@KIND='$(KIND)' bench/run $(ARGS)

format: sdk
	@dotnet format Calico.Bgp.sln

clean:
	@rm -rf out .artifacts TestResults BenchmarkDotNet.Artifacts

sdk:
	@command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing (no 'dotnet' on the path): https://dotnet.microsoft.com/download" >&2; exit 1; }
	@dotnet --list-sdks | grep -q '^1[0-9]\.' || { echo "A .NET SDK is here, but none of version 10 or later, which this needs:" >&2; dotnet --list-sdks >&2; exit 1; }
