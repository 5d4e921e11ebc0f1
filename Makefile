# The commands that README.md promises. Each is one line of intent; what takes more lives in a script beside what it serves.
SHELL := /bin/bash
export DOTNET_CLI_TELEMETRY_OPTOUT := 1
export DOTNET_NOLOGO := 1

.PHONY: build run test bench format clean sdk

## out/bgpd and out/bgpctl: native, or what can be had instead; KIND=native or KIND=readytorun asks for that one
build: sdk
	@src/build $(KIND)

## the main job in a lab of network namespaces: two nodes and a ToR. ARGS=--once checks and ends
run: build
	@dotnet run --project lab/Lab.csproj -c Release -v q -- --bgpd out/bgpd $(ARGS)

## everything under tests/ and conformance/; the last line is the sum
test: sdk
	@tests/run

## microbenchmarks; ARGS goes to BenchmarkDotNet (--filter '*Decode*')
bench: sdk
	@dotnet run --project bench/Bench.csproj -c Release -v q -- $(if $(ARGS),$(ARGS),--filter '*')

format: sdk
	@dotnet format Calico.Bgp.sln

clean:
	@rm -rf out .artifacts TestResults BenchmarkDotNet.Artifacts

sdk:
	@command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing (no 'dotnet' on the path): https://dotnet.microsoft.com/download" >&2; exit 1; }
	@dotnet --list-sdks | grep -q '^1[0-9]\.' || { echo "A .NET SDK is here, but none of version 10 or later, which this needs:" >&2; dotnet --list-sdks >&2; exit 1; }
