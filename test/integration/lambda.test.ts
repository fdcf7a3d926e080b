import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, createClock } from '../../local/clock.ts';
import { locateHandler } from '../../local/lambda/function.ts';
import type { Outcome } from '../../local/lambda/outcome.ts';
import { createGate, createWorkshop } from './lambda-support.ts';

let clock: Clock;
let workshop: ReturnType<typeof createWorkshop>;
let gate: Awaited<ReturnType<typeof createGate>>;

beforeEach(async () => {
  clock = createClock();
  workshop = createWorkshop(clock);
  gate = await createGate();
});
afterEach(async () => {
  await workshop.close();
  await gate.close();
});

const resultOf = (outcome: Outcome) => {
  if (outcome.kind === 'failure') throw new Error(`${outcome.name}: ${outcome.message}`);
  return JSON.parse(outcome.payload);
};
const COUNTING = `
  let calls = 0;
  export const handler = async (event) => {
    calls += 1;
    if (event.wait) await fetch(process.env.GATE, { method: 'POST', body: process.env.AWS_ACCESS_KEY_ID });
    return { calls, key: process.env.AWS_ACCESS_KEY_ID };
  };`;
const WAITING = `export const handler = async () => {
  await fetch(process.env.GATE, { method: 'POST', body: process.env.AWS_ACCESS_KEY_ID });
  return 'done';
};`;

describe('execution environments', () => {
  test('one that is free is used again and keeps its warm state', async () => {
    const pool = workshop.pool(COUNTING);
    for (const calls of [1, 2, 3]) expect(resultOf(await pool.invoke('{}'))).toEqual({ calls, key: 'copy-1' });
    expect(pool.principals()).toEqual(['copy-1']);
  });

  test('events at the same time run in environments that share nothing', async () => {
    const pool = workshop.pool(COUNTING, { environment: { GATE: gate.url } });
    const both = [pool.invoke('{"wait":true}'), pool.invoke('{"wait":true}')];
    const arrivals = [await gate.next(), await gate.next()];
    expect(arrivals.map((each) => each.body).sort()).toEqual(['copy-1', 'copy-2']);
    for (const arrival of arrivals) arrival.answer();
    const results = (await Promise.all(both)).map(resultOf);
    expect(results.map((each) => each.calls)).toEqual([1, 1]);
  });

  test('an event beyond the concurrency waits for a free environment', async () => {
    const pool = workshop.pool(COUNTING, { environment: { GATE: gate.url } }, { concurrency: 1 });
    const first = pool.invoke('{"wait":true}');
    const second = pool.invoke('{}');
    (await gate.next()).answer();
    expect([resultOf(await first), resultOf(await second)]).toEqual([
      { calls: 1, key: 'copy-1' },
      { calls: 2, key: 'copy-1' },
    ]);
  });

  test('sees what Lambda gives it and its own variables, and nothing of the machine', async () => {
    process.env['FIRN_SECRET_OF_THE_MACHINE'] = 'x';
    const pool = workshop.pool('export const handler = async () => process.env;', {
      environment: { TABLE: 'records' },
      endpoints: { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
    });
    const environment = resultOf(await pool.invoke('{}'));
    delete process.env['FIRN_SECRET_OF_THE_MACHINE'];
    expect(environment).toMatchObject({
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'firn-dev-copy',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_ACCESS_KEY_ID: 'copy-1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      TABLE: 'records',
    });
    const unexpected = Object.keys(environment).filter((name) => !name.startsWith('AWS_') && name !== 'TABLE');
    expect(unexpected).toEqual([]);
    expect(environment.AWS_SESSION_TOKEN).toBeUndefined();
  });

  test('has the clock of the embedded cloud, also for skips during an event', async () => {
    const pool = workshop.pool(
      `export const handler = async (event, context) => {
        const before = Date.now();
        const left = context.getRemainingTimeInMillis();
        await fetch(process.env.GATE);
        return { before, after: new Date().getTime(), left, leftAfter: context.getRemainingTimeInMillis(),
          date: new Date() instanceof Date && new Date().constructor === Date, fixed: new Date(0).toISOString() };
      };`,
      { environment: { GATE: gate.url } },
    );
    clock.skipTo(Date.parse('2060-01-01T00:00:00Z'));
    const running = pool.invoke('{}');
    const arrival = await gate.next();
    clock.skipTo(clock.now() + 30_000);
    arrival.answer();
    const seen = resultOf(await running);
    expect(new Date(seen.before).getUTCFullYear()).toBe(2060);
    expect(seen.after - seen.before).toBeGreaterThanOrEqual(30_000);
    expect(seen.left).toBeLessThanOrEqual(60_000);
    expect(seen.leftAfter).toBeLessThanOrEqual(30_000);
    expect(seen).toMatchObject({ date: true, fixed: '1970-01-01T00:00:00.000Z' });
  });

  test('gets the context that Lambda gives', async () => {
    const pool = workshop.pool('export const handler = async (event, context) => ({ event, ...context });');
    const outcome = await pool.invoke('{"a":1}');
    expect(resultOf(outcome)).toMatchObject({
      event: { a: 1 },
      awsRequestId: outcome.requestId,
      functionName: 'firn-dev-copy',
      memoryLimitInMB: '256',
      functionVersion: '$LATEST',
    });
  });

  test('hands over every line it writes', async () => {
    const pool = workshop.pool(`export const handler = async () => {
      console.log('one\\ntwo ❄'); process.stdout.write('rest'); console.error('wrong'); };`);
    await pool.invoke('{}');
    await pool.close();
    expect([...workshop.lines].sort()).toEqual(['one', 'rest', 'two ❄', 'wrong']);
  });
});

describe('failures', () => {
  test('an error keeps its name, message and stack, and the environment stays warm', async () => {
    const pool = workshop.pool(`export const handler = async (event) => {
      if (event.bad) throw Object.assign(new Error('no such bucket'), { name: 'ConfigError' });
      return process.env.AWS_ACCESS_KEY_ID; };`);
    const outcome = await pool.invoke('{"bad":true}');
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'error', name: 'ConfigError', message: 'no such bucket' });
    expect(outcome.kind === 'failure' && outcome.stack).toContain('function-1.mjs');
    expect(resultOf(await pool.invoke('{}'))).toBe('copy-1');
    expect(workshop.failures).toMatchObject([
      { functionName: 'firn-dev-copy', principal: 'copy-1', name: 'ConfigError' },
    ]);
  });

  test('a handler that hangs is killed at its timeout, and the next event starts a new environment', async () => {
    const pool = workshop.pool(WAITING, { environment: { GATE: gate.url } });
    const hanging = pool.invoke('{}');
    await gate.next();
    clock.skipTo(clock.nextTimer() ?? 0);
    expect(await hanging).toMatchObject({ kind: 'failure', reason: 'timeout', message: 'timed out after 60 seconds' });
    const next = pool.invoke('{}');
    const arrival = await gate.next();
    expect(arrival.body).toBe('copy-2');
    arrival.answer();
    expect(resultOf(await next)).toBe('done');
    expect(clock.nextTimer()).toBeUndefined();
  });

  test('killing an environment fails its event as a crash and leaves the others alone', async () => {
    const pool = workshop.pool(WAITING, { environment: { GATE: gate.url } });
    const events = [pool.invoke('{}'), pool.invoke('{}')];
    const arrivals = [await gate.next(), await gate.next()];
    const victim = arrivals[0]?.body ?? '';
    expect(await pool.kill(victim)).toBe(true);
    arrivals[1]?.answer();
    const reasons = (await Promise.all(events)).map((each) => (each.kind === 'failure' ? each.reason : each.kind));
    expect(reasons.sort()).toEqual(['crash', 'success']);
    expect(pool.principals()).not.toContain(victim);
    expect(await pool.kill(victim)).toBe(false);
  });

  test.each([
    ['ends its process', 'process.exit(7)', 'Runtime.ExitError', 'exit code 7'],
    [
      'throws outside its promise',
      "setImmediate(() => { throw new TypeError('late'); }); await new Promise(() => {})",
      'TypeError',
      'late',
    ],
  ])('a handler that %s is a crash', async (_, body, name, message) => {
    const outcome = await workshop.pool(`export const handler = async () => { ${body} };`).invoke('{}');
    expect(outcome).toMatchObject({ kind: 'failure', reason: 'crash', name });
    expect(outcome.kind === 'failure' && outcome.message).toContain(message);
  });

  test('a bundle that cannot be imported fails each event with its own error', async () => {
    const pool = workshop.pool("throw new RangeError('TABLE is not set');");
    for (let event = 0; event < 2; event += 1) {
      expect(await pool.invoke('{}')).toMatchObject({
        reason: 'error',
        name: 'RangeError',
        message: 'TABLE is not set',
      });
    }
  });

  test('a module without the handler is named', async () => {
    const outcome = await workshop.pool('export const other = 1;').invoke('{}');
    expect(outcome).toMatchObject({ name: 'Runtime.HandlerNotFound' });
    expect(() => locateHandler(workshop.directory, 'missing.handler')).toThrow('no missing.mjs');
  });

  test('events and responses beyond 6 MB fail', async () => {
    const pool = workshop.pool("export const handler = async (event) => 'x'.repeat(event.size);");
    expect(await pool.invoke(JSON.stringify('x'.repeat(6 * 1024 * 1024)))).toMatchObject({
      name: 'RequestTooLargeException',
    });
    expect(await pool.invoke('{"size":6291456}')).toMatchObject({ name: 'Function.ResponseSizeTooLarge' });
    expect(resultOf(await pool.invoke('{"size":6291454}'))).toHaveLength(6_291_454);
  });
});
