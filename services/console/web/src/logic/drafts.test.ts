import { expect, test } from 'vitest';
import { draftKey, draftsIn, type Storage } from './drafts';

class Memory implements Storage {
  items = new Map<string, string>();
  full = false;
  get length() {
    return this.items.size;
  }
  key(i: number) {
    return [...this.items.keys()][i] ?? null;
  }
  getItem(key: string) {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string) {
    if (this.full) throw new DOMException('full', 'QuotaExceededError');
    this.items.set(key, value);
  }
  removeItem(key: string) {
    this.items.delete(key);
  }
}

test('what was typed comes back, in another window of the same browser too', () => {
  const memory = new Memory();
  draftsIn(memory).save('a', { title: '废水' }, 7);
  expect(draftsIn(memory).load('a')).toEqual({ value: { title: '废水' }, savedMs: 7 });
});

test('dropped once sent', () => {
  const drafts = draftsIn(new Memory());
  drafts.save('a', 1, 0);
  drafts.drop('a');
  expect(drafts.load('a')).toBeNull();
  expect(drafts.keys()).toEqual([]);
});

test('a storage that refuses is told, not thrown', () => {
  const memory = new Memory();
  memory.full = true;
  expect(draftsIn(memory).save('a', 1, 0)).toBe(false);
});

test('a spoilt draft is no draft', () => {
  const memory = new Memory();
  memory.setItem('fenghuo.draft.a', '{"value":');
  memory.setItem('fenghuo.draft.b', '{}');
  expect(draftsIn(memory).load('a')).toBeNull();
  expect(draftsIn(memory).load('b')).toBeNull();
});

test('people, spaces and things do not share drafts, and foreign keys are not drafts', () => {
  const memory = new Memory();
  memory.setItem('something.else', 'x');
  const drafts = draftsIn(memory);
  const keys = [
    draftKey('420000', 'real', 'lijing', 'report'),
    draftKey('420000', 'exercises/1', 'lijing', 'report'),
    draftKey('420000', 'real', 'wangjun', 'report'),
    draftKey('500000', 'real', 'lijing', 'report'),
  ];
  keys.forEach((key, i) => drafts.save(key, i, 0));
  expect(drafts.keys()).toEqual([...keys].sort());
  keys.forEach((key, i) => expect(drafts.load(key)?.value).toBe(i));
});
