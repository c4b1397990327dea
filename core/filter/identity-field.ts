import { isWorld, RESERVED_IDENTITY, reservedIdentities } from '../identity/reserved.ts';
import { endpointField } from './filter-field.ts';

export const identityField = endpointField<number>({
  name: 'identity',
  doc: 'a security identity: its number, or a reserved name; "world" includes both IP families',
  example: 'identity=world',
  choices: reservedIdentities.names,
  parse(text) {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : reservedIdentities.parse(text);
    return number === undefined || number > 0xffffffff
      ? { problem: `"${text}" is neither an identity number nor one of ${reservedIdentities.names.join(', ')}` }
      : { value: number };
  },
  print(identity) {
    const name = reservedIdentities.name(identity);
    return reservedIdentities.parse(name) === identity ? name : String(identity);
  },
  list({ identity }) {
    const name = reservedIdentities.name(identity);
    return [reservedIdentities.parse(name) === identity ? name : String(identity)];
  },
  matcher: (identity) =>
    identity === RESERVED_IDENTITY.world
      ? (endpoint) => isWorld(endpoint.identity)
      : (endpoint) => endpoint.identity === identity,
});
