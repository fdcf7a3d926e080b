import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const folders = ['core', 'adapters', 'handlers', 'deploy', 'local', 'cli', 'sources', 'samples'] as const;
type Folder = (typeof folders)[number];

/** cli → local → handlers → adapters → core; cli, local → deploy → core; sources → core (through 'firn' only). */
const allowed: Record<Folder, readonly Folder[]> = {
  core: ['core'],
  adapters: ['adapters', 'core'],
  handlers: ['handlers', 'adapters', 'core'],
  deploy: ['deploy', 'core'],
  local: ['local', 'deploy', 'handlers', 'adapters', 'core'],
  cli: ['cli', 'local', 'deploy', 'handlers', 'adapters', 'core', 'samples'],
  sources: ['core'],
  samples: ['samples'],
};

interface Import {
  readonly file: string;
  readonly from: string;
}

function files(folder: Folder): readonly string[] {
  return globSync(`${folder}/**/*.{ts,js}`);
}

function imports(file: string): readonly Import[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(
    /^(?:import|export)\b[^'"\n]*\bfrom\s+['"]([^'"]+)['"]|^\} from ['"]([^'"]+)['"]|^import ['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]\)/gm,
  );
  return [...found].map((match) => ({ file, from: match.slice(1).find((each) => each !== undefined) ?? '' }));
}

function folderOf({ file, from }: Import): string {
  return normalize(join(dirname(file), from)).split('/')[0] ?? '';
}

describe('imports', () => {
  for (const folder of folders) {
    it(`of ${folder}/ point one way`, () => {
      const wrong = files(folder)
        .flatMap(imports)
        .filter(({ from }) => from.startsWith('.'))
        .filter((each) => !allowed[folder].some((ok) => ok === folderOf(each)));
      expect(wrong).toEqual([]);
    });
  }

  it('of core/ name no package but Node itself', () => {
    const wrong = files('core')
      .flatMap(imports)
      .filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'));
    expect(wrong).toEqual([]);
  });

  it('of sources/ name only firn', () => {
    expect(
      files('sources')
        .flatMap(imports)
        .filter(({ from }) => from !== 'firn'),
    ).toEqual([]);
  });

  it('of services are in adapters/ alone, as far as Lambda bundles go', () => {
    const sdk = /^(@aws-sdk\/|@smithy\/|snowflake-sdk)/;
    const wrong = [...files('core'), ...files('handlers'), ...files('sources')]
      .flatMap(imports)
      .filter(({ from }) => sdk.test(from));
    expect(wrong).toEqual([]);
  });
});

describe('core/', () => {
  it('reads no environment, clock or randomness', () => {
    const impure = /process\.env|Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(/;
    const wrong = files('core').filter((file) => impure.test(readFileSync(file, 'utf8')));
    expect(wrong).toEqual([]);
  });
});

describe('handlers/', () => {
  it('have at most 40 lines of code each, but for the shared stack', () => {
    const shared = ['handlers/stack.ts', 'handlers/telemetry.ts', 'handlers/environment.ts'];
    const long = files('handlers')
      .filter((file) => !shared.includes(file))
      .map((file) => ({
        file,
        lines: readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => !/^(import|$)/.test(line)).length,
      }))
      .filter(({ lines }) => lines > 40);
    expect(long).toEqual([]);
  });
});
