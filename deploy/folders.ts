import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json, with symbolic links resolved. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where a packaging run looks for what differs between deployments. Absolute paths. */
export interface Inputs {
  readonly sourcesDir: string;
  readonly handlersDir: string;
  /** May name a file that does not exist: a stack without Snowflake. */
  readonly snowflakeFile: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads FIRN_SOURCES, FIRN_HANDLERS and FIRN_SNOWFLAKE_FILE, absolute or relative to the working directory;
 * what is unset or empty is the project's own folder.
 */
export function inputsFrom(environment: Environment, stage: string): Inputs {
  const pick = (name: string, byDefault: string) => {
    const value = environment[name];
    return value === undefined || value === '' ? join(root, byDefault) : resolve(value);
  };
  return {
    sourcesDir: pick('FIRN_SOURCES', 'sources'),
    handlersDir: pick('FIRN_HANDLERS', 'handlers'),
    snowflakeFile: pick('FIRN_SNOWFLAKE_FILE', join('deploy', 'snowflake', `${stage}.json`)),
  };
}

/** The environment variables that make `inputsFrom` answer `inputs` in a child process. */
export function inputsAsEnvironment(inputs: Inputs): Record<string, string> {
  return {
    FIRN_SOURCES: inputs.sourcesDir,
    FIRN_HANDLERS: inputs.handlersDir,
    FIRN_SNOWFLAKE_FILE: inputs.snowflakeFile,
  };
}
