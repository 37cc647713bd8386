import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useI18n } from '../i18n';
import { useDesk } from '../live/context';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';
import { GrantFields } from './GrantFields';
import { emptyGrant, grantOf, type GrantDraft } from './grants';

/** Adds a person with an initial password and grants. */
export function PersonForm({ onClose }: { onClose: () => void }) {
  const { t } = useI18n();
  const { clients, node } = useDesk();
  const call = useCall();
  const [userName, setUserName] = useState('');
  const [displayName, setDisplayName] = useState('');
  const [post, setPost] = useState('');
  const [password, setPassword] = useState('');
  const [grants, setGrants] = useState<GrantDraft[]>(() => [emptyGrant(node.provinceCode, Date.now())]);
  const [last, setLast] = useState<Attempt | null>(null);
  const send = async () => {
    const body = {
      person: {
        userName: userName.trim().toLowerCase(),
        displayName: displayName.trim(),
        post: post.trim(),
        grants: grants.map(grantOf),
        active: true,
      },
      password,
    };
    const attempt = attemptFor(last, body);
    setLast(attempt);
    const answer = await call.run(() => clients.people.createPerson({ ...body, requestId: attempt.id }));
    if (answer) onClose();
  };
  const blocked = userName.trim() === '' ? t('people.needsUserName') : password.length < 10 ? t('password.short', { n: 10 }) : undefined;
  return (
    <FormBox
      title={t('people.add')}
      call={call}
      sendLabel={t('people.send')}
      onSend={() => void send()}
      onCancel={onClose}
      testId="person"
      {...(blocked ? { blocked } : {})}
    >
      <div className="fields">
        <TextField
          label={t('signIn.userName')}
          path="person.user_name"
          required
          value={userName}
          onChange={setUserName}
          testId="person-user-name"
        />
        <TextField
          label={t('people.displayName')}
          path="person.display_name"
          required
          value={displayName}
          onChange={setDisplayName}
          testId="person-display-name"
        />
        <TextField label={t('people.post')} path="person.post" value={post} onChange={setPost} testId="person-post" />
        <TextField
          label={t('people.password')}
          path="password"
          required
          type="password"
          value={password}
          onChange={setPassword}
          testId="person-password"
          autoComplete="new-password"
        />
      </div>
      <GrantFields value={grants} onChange={setGrants} path="person.grants" />
    </FormBox>
  );
}
