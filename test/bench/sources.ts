import { boolean, csv, decimal, defineSource, integer, list, ndjson, object, text, timestamp } from 'firn';

const statuses = ['open', 'paid', 'shipped', 'cancelled'] as const;

/** What the NDJSON cases map: fourteen fields, nested ones and a list among them. */
export const nested = defineSource({
  from: { bucket: 'bench' },
  format: ndjson(),
  entity: 'order',
  key: 'orderId',
  version: 'updatedAt',
  fields: {
    orderId: text('order_no'),
    updatedAt: timestamp('updated'),
    status: text('status', { oneOf: statuses }),
    customerId: integer('customer.id'),
    customerName: text('customer.name', { trim: true }),
    email: text('customer.email'),
    total: decimal('amount'),
    currency: text(),
    express: boolean(),
    street: text('shipping.street'),
    city: text('shipping.city'),
    zip: text('shipping.zip'),
    lines: list(object({ sku: text(), quantity: integer('qty'), price: decimal() }), { from: 'lines' }),
    note: text('note', { optional: true }),
  },
});

/** What the CSV cases map: every column. */
export const flat = defineSource({
  from: { bucket: 'bench' },
  format: csv(),
  entity: 'order',
  key: 'orderId',
  version: 'updatedAt',
  fields: {
    orderId: text('order_no'),
    updatedAt: timestamp('updated'),
    status: text('status', { oneOf: statuses }),
    customerId: integer('customer'),
    customerName: text('name'),
    total: decimal('amount'),
    currency: text(),
    express: boolean(),
    street: text(),
    city: text(),
    note: text(),
  },
});
