import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import type { Person } from '../gen/proto/fenghuo/identity/v1/identity_pb';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { FormBox } from '../ui/FormBox';
import { GrantFields } from './GrantFields';
import { draftOfGrant, grantOf } from './grants';

/** Replaces the grants of a person. */
export function GrantsForm({ person, onClose }: { person: Person; onClose: () => void }) {
  const { t } = useI18n();
  const { clients } = useDesk();
  const call = useCall();
  const [grants, setGrants] = useState(() => person.grants.map(draftOfGrant));
  const [last, setLast] = useState<Attempt | null>(null);
  const send = async () => {
    const body = { name: person.name, grants: grants.map(grantOf) };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.people.setGrants({ ...body, requestId: attempt.id }));
    if (answer) onClose();
  };
  return (
    <FormBox
      title={t('people.grantsOf', { name: person.displayName })}
      call={call}
      sendLabel={t('people.saveGrants')}
      onSend={() => void send()}
      onCancel={onClose}
      testId="grants"
    >
      <GrantFields value={grants} onChange={setGrants} path="grants" />
    </FormBox>
  );
}
