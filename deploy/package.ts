import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Inputs, inputsAsEnvironment, inputsFrom, root } from './folders.ts';
import { stampOf } from './stamp.ts';

export interface PackageOptions {
  readonly stage: string;
  /** Made if it is missing; a package that is there is replaced unless it is of the same inputs. */
  readonly outDir: string;
  /** Default: FIRN_SOURCES, else `sources/`. */
  readonly sourcesDir?: string;
  /** Default: FIRN_SNOWFLAKE_FILE, else `deploy/snowflake/<stage>.json`. It need not exist. */
  readonly snowflakeFile?: string;
  /** Default: FIRN_HANDLERS, else `handlers/`. */
  readonly handlersDir?: string;
}

const template = 'cloudformation-template-update-stack.json';
const stampName = 'inputs.sha256';

/**
 * Packages a stage as `npx sls package` does, without network and credentials, and quietly. Does nothing when `outDir`
 * holds the package of the same inputs. Two packagings may run side by side, into different folders.
 *
 * @returns the absolute path of the folder: the template in `cloudformation-template-update-stack.json`, `<function>.zip`
 * @throws with all that osls printed, when it fails
 */
export async function packageStack(options: PackageOptions): Promise<string> {
  const outDir = resolve(options.outDir);
  const inputs = inputsOf(options);
  const stamp = await stampOf(stampedPaths(inputs), [options.stage]);
  if ((await readStamp(outDir)) === stamp) return outDir;
  await mkdir(join(root, '.firn'), { recursive: true });
  const service = await mkdtemp(join(root, '.firn', 'service-'));
  try {
    await layOut(service);
    await runOsls(service, options.stage, inputs);
    await rm(outDir, { recursive: true, force: true });
    await cp(join(service, '.serverless'), outDir, { recursive: true });
    await writeFile(join(outDir, stampName), stamp);
  } finally {
    await rm(service, { recursive: true, force: true });
  }
  return outDir;
}

/** The path of the template in a package. */
export function templateFile(packageDir: string): string {
  return join(packageDir, template);
}

function inputsOf(options: PackageOptions): Inputs {
  const byDefault = inputsFrom(process.env, options.stage);
  return {
    sourcesDir: resolve(options.sourcesDir ?? byDefault.sourcesDir),
    handlersDir: resolve(options.handlersDir ?? byDefault.handlersDir),
    snowflakeFile: resolve(options.snowflakeFile ?? byDefault.snowflakeFile),
  };
}

function stampedPaths(inputs: Inputs): string[] {
  const own = ['serverless.yml', 'deploy', 'core', 'handlers', 'adapters', 'package-lock.json'];
  return [...own.map((name) => join(root, name)), inputs.sourcesDir, inputs.handlersDir, inputs.snowflakeFile];
}

// The stamp is written last, so a folder that has one is whole.
async function readStamp(outDir: string): Promise<string | undefined> {
  return readFile(join(outDir, stampName), 'utf8').catch(() => undefined);
}

// osls works in `.serverless` of the folder it runs in, whatever --package says. A folder of its own keeps it away from
// the package that `sls` may have left in the root, and from other packagings.
async function layOut(service: string): Promise<void> {
  await cp(join(root, 'serverless.yml'), join(service, 'serverless.yml'));
  await symlink(join(root, 'deploy'), join(service, 'deploy'), 'junction');
}

async function runOsls(service: string, stage: string, inputs: Inputs): Promise<void> {
  const osls = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  // Neither credentials nor settings of the caller's own Node get in: a package depends on its inputs alone.
  const foreign = /^(AWS_|SLS_|SERVERLESS_|NODE_OPTIONS$)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  const environment = {
    ...Object.fromEntries(kept),
    ...inputsAsEnvironment(inputs),
    AWS_SHARED_CREDENTIALS_FILE: join(service, 'none'),
    AWS_CONFIG_FILE: join(service, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_COMPILE_CACHE: join(root, '.firn', 'compile-cache'),
  };
  await promisify(execFile)(process.execPath, [osls, 'package', '--stage', stage], {
    cwd: service,
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((cause: Error & { stdout?: string; stderr?: string }) => {
    const said = `${cause.stdout ?? ''}${cause.stderr ?? ''}`.trim();
    throw new Error(`Packaging stage '${stage}' failed:\n${said === '' ? cause.message : said}`);
  });
}
