import { useCallback, useEffect, useState } from 'react';
import { useCall } from '../api/useCall';
import { go } from '../app/route';
import type { Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk } from '../live/context';
import { Button } from '../ui/Button';
import { ProblemBox } from '../ui/Problem';
import { GrantsForm } from './GrantsForm';
import { PeopleTable } from './PeopleTable';
import { PersonForm } from './PersonForm';

/** People and what they may do; for administrators. */
export function PeoplePage() {
  const { t } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [adding, setAdding] = useState(false);
  const [granting, setGranting] = useState<Person | null>(null);
  const reload = useCallback(async () => {
    const answer = await call.run(() => clients.people.listPeople({ pageSize: 500 }));
    if (answer) setPeople(answer.people);
  }, [clients, call.run]);
  useEffect(() => void reload(), [reload]);
  useKeys([
    { key: 'p', label: 'people.add', run: () => setAdding(true) },
    { key: 'Escape', label: 'key.back', run: () => go({ page: 'desk' }) },
  ]);
  const close = () => {
    setAdding(false);
    setGranting(null);
    void reload();
  };
  return (
    <main className="page" data-testid="people-page">
      <header className="row spread">
        <h1>{t('nav.people')}</h1>
        <Button label={t('people.add')} hint="p" testId="person-add" onClick={() => setAdding(true)} />
      </header>
      <ProblemBox problem={call.problem} />
      {adding && <PersonForm onClose={close} />}
      {granting && <GrantsForm key={granting.name} person={granting} onClose={close} />}
      <PeopleTable people={people} onGrants={setGranting} onChanged={() => void reload()} />
    </main>
  );
}
