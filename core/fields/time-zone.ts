/** Seconds that a place's clocks are ahead of UTC at a moment of theirs, given as seconds since 1970 as if it were UTC. */
export type ZoneOffset = (localSeconds: number) => number;

/** Clocks change on the quarter of an hour, so one answer holds for all of it. */
const bucketSeconds = 900;
const daySeconds = 86_400;
/** Some months of a busy feed; a longer memory is begun anew. */
const remembered = 10_000;

/**
 * The clocks of a place such as `Europe/Lisbon`, by the time zone data of the runtime. A time that exists twice, when
 * clocks go back, is the first of the two; one that is skipped, when they go forward, is read by the clocks before.
 * Throws a RangeError for a name that is no time zone.
 */
export function compileZone(zone: string): ZoneOffset {
  const offsetAt = instantOffset(zone);
  const known = new Map<number, number>();
  return (localSeconds) => {
    const bucket = Math.floor(localSeconds / bucketSeconds);
    let offset = known.get(bucket);
    if (offset === undefined) {
      if (known.size >= remembered) known.clear();
      offset = localOffset(offsetAt, bucket * bucketSeconds);
      known.set(bucket, offset);
    }
    return offset;
  };
}

/** Clocks change at most once in two days: the offset is that of the day before, or of the day after. */
function localOffset(offsetAt: (seconds: number) => number, localSeconds: number): number {
  const before = offsetAt(localSeconds - daySeconds);
  const after = offsetAt(localSeconds + daySeconds);
  if (before === after || offsetAt(localSeconds - before) === before) return before;
  return offsetAt(localSeconds - after) === after ? after : before;
}

/** The offset of a place at an instant, both in seconds. */
function instantOffset(zone: string): (seconds: number) => number {
  const clock = clockOf(zone);
  return (seconds) => {
    const shown = clock.formatToParts(seconds * 1000);
    const number = (type: string) => Number(shown.find((part) => part.type === type)?.value);
    const utc = new Date(0);
    utc.setUTCFullYear(number('year'), number('month') - 1, number('day'));
    utc.setUTCHours(number('hour'), number('minute'), number('second'));
    return utc.getTime() / 1000 - seconds;
  };
}

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const whole = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  try {
    return new Intl.DateTimeFormat('en-u-ca-iso8601', { ...whole, second: 'numeric', hourCycle: 'h23', timeZone });
  } catch {
    throw new RangeError(`'${timeZone}' is no time zone: write one like Europe/Lisbon`);
  }
}
