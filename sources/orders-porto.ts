import { date, decimal, defineSource, integer, list, object, ours, text, timestamp } from 'firn';

// The same entity as orders-lisbon, so the same field names; only where the values come from differs.
export default defineSource({
  from: { bucket: ours('orders'), prefix: 'porto/' },
  entity: 'order',
  key: 'orderId',
  version: 'updatedAt',
  fields: {
    orderId: text('id'),
    customerId: integer('customer.number', { optional: true }),
    shopId: text('placed.shop'),
    orderedOn: date('placed.at'),
    total: decimal('payment.total'),
    currency: text('payment.currency', { default: 'EUR' }),
    status: text('state', {
      oneOf: ['open', 'paid', 'shipped', 'cancelled'],
      map: { NEW: 'open', PAID: 'paid', SENT: 'shipped', VOID: 'cancelled' },
    }),
    terminalTrace: integer('payment.trace', { optional: true }),
    lines: list(
      object({
        sku: text(),
        product: text('name'),
        quantity: integer('qty', { min: 1n }),
        unitPrice: decimal(),
      }),
      { from: 'items' },
    ),
    updatedAt: timestamp('lastChange', { unit: 'ms' }),
  },
});
