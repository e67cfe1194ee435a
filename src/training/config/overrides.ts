/** Single keys of a configuration, changed from outside: `optimizer.learningRate=1e-3`. */
import { ConfigError, isObject } from "./kinds.js";

/**
 * The configuration with some keys replaced. Values are JSON; what is none is a text.
 *
 * @param config - as written, not yet checked; not modified
 * @param assignments - each `path.of.key=value`; later ones win
 * @throws ConfigError for one without "=", or whose path goes through something that is no object
 */
export function withOverrides(config: unknown, assignments: readonly string[]): unknown {
  return assignments.reduce(withOverride, config);
}

function withOverride(config: unknown, assignment: string): unknown {
  const at = assignment.indexOf("=");
  if (at < 1)
    throw new ConfigError("", `${JSON.stringify(assignment)} must be KEY=VALUE, as in optimizer.learningRate=1e-3`);
  const value = parsed(assignment.slice(at + 1));
  return replaced(config, assignment.slice(0, at).trim().split("."), value, []);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @param above - the keys that led to `config` */
function replaced(
  config: unknown,
  [key, ...below]: readonly string[],
  value: unknown,
  above: readonly string[],
): unknown {
  if (!isObject(config)) {
    throw new ConfigError(above.join("."), `is ${JSON.stringify(config)}, and has no key ${JSON.stringify(key)}`);
  }
  if (below.length === 0) return { ...config, [key]: value };
  return { ...config, [key]: replaced(config[key] ?? {}, below, value, [...above, key]) };
}
