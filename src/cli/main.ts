#!/usr/bin/env node
/** The `hitherto` command. */
import { run } from "./program.js";
import { systemTerminal } from "./terminal.js";

process.exitCode = await run(process.argv.slice(2), systemTerminal());
