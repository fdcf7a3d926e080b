import { boolean, date, defineSource, integer, ours, text, timestamp } from 'firn';

export default defineSource({
  from: { bucket: ours('customers') },
  entity: 'customer',
  key: 'customerId',
  version: 'updatedAt',
  fields: {
    customerId: integer('Customer no'),
    name: text('Full name', { trim: true }),
    email: text('E-mail'),
    // Several lines in one quoted field; the line ends are kept.
    address: text('Address'),
    country: text('Country', { oneOf: ['PT', 'JP', 'BR', 'ES', 'FR'] }),
    loyaltyCard: integer('Loyalty card', { optional: true }),
    newsletter: boolean('Newsletter', { yes: ['sim', 'yes', 'はい'], no: ['não', 'no', 'いいえ'] }),
    customerSince: date('Customer since', { format: 'dd/MM/yyyy' }),
    updatedAt: timestamp('Changed'),
  },
});
