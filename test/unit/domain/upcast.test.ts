import { expect } from 'chai';
import { FACT_VERSION } from '../../../domain/facts.ts';
import { NewerFact, upcast, VERSIONS, type Versions } from '../../../domain/upcast.ts';

/** Two changes that never were: a name that got a language, then both in one field. */
const INVENTED: Versions = {
  newest: 3,
  upcasters: {
    ThingNamed: {
      1: ({ name }) => ({ name, language: 'en' }),
      2: ({ name, language }) => ({ title: `${name} (${language})` }),
    },
    ThingMoved: { 2: ({ to }) => ({ to: [to] }) },
  },
};

describe('upcasting', () => {
  it('takes an old fact through every version since', () => {
    expect(upcast('ThingNamed', 1, { name: 'A' }, INVENTED)).to.deep.equal({ title: 'A (en)' });
    expect(upcast('ThingNamed', 2, { name: 'A', language: 'de' }, INVENTED)).to.deep.equal({ title: 'A (de)' });
  });

  it('passes over versions that left a type alone', () => {
    expect(upcast('ThingMoved', 1, { to: 'B' }, INVENTED)).to.deep.equal({ to: ['B'] });
  });

  it('leaves facts of today, and types without a step, as they are', () => {
    const data = { title: 'A' };
    expect(upcast('ThingNamed', 3, data, INVENTED)).to.equal(data);
    expect(upcast('ThingLost', 1, data, INVENTED)).to.equal(data);
  });

  for (const version of [4, undefined, null, '1', Number.NaN]) {
    it(`refuses version ${typeof version} ${version} by name`, () => {
      expect(() => upcast('ThingNamed', version, {}, INVENTED)).to.throw(
        NewerFact,
        `a ThingNamed of version ${version}, newer than this code`,
      );
    });
  }

  it('has no step that leads beyond the version of today', () => {
    expect(VERSIONS.newest).to.equal(FACT_VERSION);
    const steps = Object.values(VERSIONS.upcasters).flatMap((ofType) => Object.keys(ofType).map(Number));
    expect(steps.filter((from) => from < 1 || from >= FACT_VERSION)).to.deep.equal([]);
  });
});
