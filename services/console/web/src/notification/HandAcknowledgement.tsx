import { useState } from 'react';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import type { NotificationRecord } from '../gen/proto/fenghuo/notification/v1/notification_pb';
import { useI18n } from '../i18n';
import { useKeys } from '../keys/keys';
import { useDesk, useSpaceNow } from '../live/context';
import { stamp } from '../logic/time';
import { Button } from '../ui/Button';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';
import { TimeField, timeAt, type TypedTime } from '../ui/TimeField';

interface Edit {
  person: string;
  post: string;
  remark: string;
  time: TypedTime;
  last: Attempt | null;
}

/** Enters by hand the acknowledgement of a letter, or of a partner whose node is down. */
export function HandAcknowledgement({ record }: { record: NotificationRecord }) {
  const { t } = useI18n();
  const { clients, live } = useDesk();
  const now = useSpaceNow();
  const call = useCall();
  const [open, setOpen] = useState(false);
  const draft = useDraft<Edit>(`hand-ack|${record.name}`, () => ({ person: '', post: '', remark: '', time: timeAt(now), last: null }));
  const { person, post, remark, time, last } = draft.value;
  const set = (change: Partial<Edit>) => draft.set({ ...draft.value, ...change });
  useKeys([{ key: 'h', label: 'key.handAck', run: () => setOpen(true) }]);

  if (!open) return <Button label={t('ack.hand')} hint="h" testId="hand-ack" onClick={() => setOpen(true)} />;
  const send = async () => {
    const acknowledgeTime = stamp(time.ms);
    const body = {
      name: record.name,
      acknowledgement: { notification: record.name, person, post, remark, ...(acknowledgeTime ? { acknowledgeTime } : {}) },
    };
    const attempt = attemptFor(last, body);
    set({ last: attempt });
    const answer = await call.run(() => clients.notifications.recordAcknowledgement({ ...body, requestId: attempt.id }));
    if (!answer?.notification) return;
    draft.reset(draft.value);
    live.notifications.put(answer.notification);
  };
  const blocked = person.trim() === '' ? t('ack.needsPerson') : time.ms === null ? t('form.needsTime') : undefined;
  return (
    <FormBox
      title={t('ack.hand')}
      call={call}
      sendLabel={t('ack.handSend')}
      onSend={() => void send()}
      onCancel={() => setOpen(false)}
      testId="hand-ack"
      {...(blocked ? { blocked } : {})}
    >
      <div className="fields">
        <TextField
          label={t('ack.person')}
          path="acknowledgement.person"
          required
          value={person}
          onChange={(value) => set({ person: value })}
          testId="hand-ack-person"
        />
        <TextField
          label={t('ack.post')}
          path="acknowledgement.post"
          value={post}
          onChange={(value) => set({ post: value })}
          testId="hand-ack-post"
        />
        <TimeField
          label={t('ack.time')}
          path="acknowledgement.acknowledge_time"
          required
          value={time}
          onChange={(value) => set({ time: value })}
          nowMs={now}
          testId="hand-ack-time"
        />
        <TextField
          label={t('ack.handRemark')}
          path="acknowledgement.remark"
          value={remark}
          onChange={(value) => set({ remark: value })}
          testId="hand-ack-remark"
        />
      </div>
    </FormBox>
  );
}
