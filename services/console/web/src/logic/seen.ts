/** Which revision of each record a person has seen. What changed since is marked until seen. */
export class Seen {
  private revisions: Map<string, string>;
  private baseline = false;

  constructor(saved: Iterable<[string, string]> = []) {
    this.revisions = new Map(saved);
    this.baseline = this.revisions.size > 0;
  }

  /** The first look at a desk that was never seen before: what is there is the starting point, not news. */
  start(current: Iterable<[string, string]>): boolean {
    if (this.baseline) return false;
    this.baseline = true;
    for (const [name, revision] of current) this.revisions.set(name, revision);
    return true;
  }

  see(name: string, revision: string): boolean {
    if (this.revisions.get(name) === revision) return false;
    this.revisions.set(name, revision);
    return true;
  }

  /** "new": never seen; "changed": another revision was seen; null: nothing new. */
  mark(name: string, revision: string): 'new' | 'changed' | null {
    const seen = this.revisions.get(name);
    if (seen === revision) return null;
    return seen === undefined ? 'new' : 'changed';
  }

  entries(): [string, string][] {
    return [...this.revisions];
  }
}
