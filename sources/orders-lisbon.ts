import { csv, date, decimal, defineSource, integer, ours, text, timestamp } from 'firn';

export default defineSource({
  from: { bucket: ours('orders'), prefix: 'lisbon/' },
  format: csv({ delimiter: '|' }),
  entity: 'order',
  key: 'orderId',
  version: 'updatedAt',
  fields: {
    orderId: text('order_no'),
    customerId: integer('customer', { optional: true }),
    shopId: text('shop'),
    orderedOn: date('ordered', { format: 'dd.MM.yyyy' }),
    total: decimal('amount', { comma: true }),
    currency: text({ constant: 'EUR' }),
    // Every till spells it its own way; what is neither listed nor mapped goes to quarantine.
    status: text('status', {
      trim: true,
      oneOf: ['open', 'paid', 'shipped', 'cancelled'],
      map: { aberta: 'open', paga: 'paid', PAGA: 'paid', enviada: 'shipped', cancelada: 'cancelled', cxl: 'cancelled' },
    }),
    terminalTrace: integer('trace', { optional: true }),
    note: text('note'),
    updatedAt: timestamp('updated', { format: 'dd.MM.yyyy HH:mm:ss' }),
  },
});
