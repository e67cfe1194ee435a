/** What the CPU backend does not have yet, and the suite leaves out there: operations, or parts of them. */
export const pendingOnCpu: ReadonlySet<string> = new Set();
