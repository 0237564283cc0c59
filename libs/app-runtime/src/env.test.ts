import { describe, expect, it } from 'vitest';
import { describeError, readInteger, readNumber, readPort, readText, UsageError, UserError } from './index.ts';

describe('environment', () => {
  it('takes an unset or empty variable as its default', () => {
    expect(readText({ NAME: '' }, 'NAME', 'a')).toBe('a');
    expect(readNumber({}, 'SPEED', 60)).toBe(60);
    expect(readPort({ PORT: ' ' }, 'PORT', 3000)).toBe(3000);
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', 'http'],
  ])('refuses %s=%s and names both', (name, value) => {
    expect(() => readPort({ [name]: value }, name, 1)).toThrow(UsageError);
    expect(() => readPort({ [name]: value }, name, 1)).toThrow(`${name}=${value}`);
  });

  it('refuses a number outside of its range and states the range', () => {
    expect(() => readInteger({ N: '5' }, 'N', 1, { min: 0, max: 4 })).toThrow('from 0 to 4');
  });
});

describe('describeError', () => {
  it('gives a usage error exit status 2 and a user error 1, with their mends', () => {
    expect(describeError(new UsageError('wrong', 'right'))).toEqual({ message: 'wrong', mend: 'right', exitStatus: 2 });
    expect(describeError(new UserError('wrong', 'right')).exitStatus).toBe(1);
  });

  it("takes the mend of a library's error where it has one", () => {
    expect(describeError(Object.assign(new Error('gone'), { mend: 'start it' }))).toEqual({
      message: 'gone',
      mend: 'start it',
      exitStatus: 1,
    });
    expect(describeError('text')).toEqual({ message: 'text', mend: undefined, exitStatus: 1 });
  });
});
