import { date, decimal, defineSource, integer, object, ours, text, timestamp } from 'firn';

// No key: every reading is a record of its own, and none is ever replaced.
export default defineSource({
  from: { bucket: ours('roastery'), prefix: 'readings/' },
  entity: 'reading',
  fields: {
    machineId: text('machine'),
    batchId: text('batch'),
    bean: text(),
    sequence: integer('seq'),
    readAt: timestamp('at', { unit: 'ms' }),
    temperature: object(
      { bean: decimal(), drum: decimal(), exhaust: decimal('exhaust', { optional: true }) },
      { from: 'celsius' },
    ),
    energyJoules: decimal('energy_j'),
    shiftDay: date({ file: 'key', pattern: /\d{4}-\d\d-\d\d/ }),
  },
});
