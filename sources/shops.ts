import { date, decimal, defineSource, integer, json, list, object, ours, text } from 'firn';

// One file a shop. Without a version field, the file that was modified last wins.
export default defineSource({
  from: { bucket: ours('retail'), prefix: 'shops/' },
  entity: 'shop',
  key: 'shopId',
  fields: {
    shopId: text('id'),
    name: text(),
    address: object({ street: text(), postalCode: text('postal_code'), city: text(), country: text() }),
    location: object({ latitude: decimal('lat'), longitude: decimal('lon') }, { from: 'geo' }),
    seats: integer('seats', { min: 0n }),
    openedOn: date('opened'),
    openingHours: json('opening'),
    roasts: list(text(), { optional: true }),
  },
});
