import { defineSource, integer, ours, text, timestamp } from 'firn';

export default defineSource({
  // Inside the prefix of `shops`: the longest prefix that matches wins.
  from: { bucket: ours('retail'), prefix: 'shops/stock/' },
  entity: 'stock-move',
  // One key holds all moves of a product in a shop, so one query reads its history.
  key: ['shopId', 'sku'],
  keep: 'all',
  transform: (row) => {
    if (row['test'] === true) return null;
    if (row['kind'] !== 'transfer') return row;
    return [
      { ...row, shop: row['from'], direction: 'out' },
      { ...row, shop: row['to'], direction: 'in' },
    ];
  },
  fields: {
    moveId: text('move'),
    kind: text('kind', { oneOf: ['delivery', 'sale', 'transfer', 'waste'] }),
    shopId: text('shop'),
    sku: text(),
    direction: text('direction', { oneOf: ['in', 'out'] }),
    // The newer till says units, the older one qty.
    units: integer({ first: ['units', 'qty'] }, { min: 1n }),
    movedAt: timestamp('at'),
    note: text('note', { optional: true }),
  },
});
