import { create } from '@bufbuild/protobuf';
import { attemptFor, type Attempt } from '../api/request';
import { useCall } from '../api/useCall';
import { useDraft } from '../api/useDraft';
import { SubstanceSchema } from '../gen/proto/fenghuo/common/v1/common_pb';
import { useI18n } from '../i18n';
import { useDesk, useSpaceNow } from '../live/context';
import { draftOfFacts, factsChanged, factsOf, factsReadable, type FactsDraft } from '../logic/facts';
import { emptySubstance, substanceOf, substanceReadable, type SubstanceDraft } from '../logic/substances';
import { stamp } from '../logic/time';
import { FactsFields } from '../report/FactsFields';
import { SubstanceFields } from '../report/SubstanceFields';
import { FormBox } from '../ui/FormBox';
import { TextField } from '../ui/TextField';
import { TimeField, timeAt, type TypedTime } from '../ui/TimeField';
import type { FormProps } from './ActionForm';

interface FactsEdit {
  before: FactsDraft;
  facts: FactsDraft;
  substances: SubstanceDraft[];
  source: string;
  asOf: TypedTime;
  etag: string;
  attempt: Attempt | null;
}

/** Changes what is known. Only what was changed here is sent. */
export function FactsForm({ incident, onDone, onCancel }: FormProps) {
  const { t } = useI18n();
  const { clients } = useDesk();
  const now = useSpaceNow();
  const call = useCall();
  const draft = useDraft<FactsEdit>(`facts|${incident.name}`, () => {
    const before = draftOfFacts(incident.facts);
    return { before, facts: before, substances: [], source: '', asOf: timeAt(now), etag: incident.etag, attempt: null };
  });
  const v = draft.value;
  const set = (change: Partial<FactsEdit>) => draft.set({ ...v, ...change });
  const changed = factsChanged(v.facts, v.before) || v.substances.some((s) => s.name !== '');
  const readable = factsReadable(v.facts) && v.substances.every(substanceReadable);
  const blocked = !changed
    ? t('form.nothingChanged')
    : !readable
      ? t('form.unreadable')
      : v.source.trim() === ''
        ? t('form.needsSource')
        : undefined;

  const send = async () => {
    const body = {
      name: incident.name,
      // What changed meanwhile is not in the way: only what was changed here is sent.
      etag: '',
      facts: factsOf(v.facts, v.before, v.source, stamp(v.asOf.ms)),
      source: v.source,
      substances: v.substances.filter((s) => s.name.trim() !== '').map((s) => create(SubstanceSchema, substanceOf(s))),
    };
    const attempt = attemptFor(v.attempt, body);
    set({ attempt });
    const answer = await call.run(() => clients.incidents.updateFacts({ ...body, requestId: attempt.id }));
    if (!answer) return;
    draft.reset(v);
    onDone(answer.incident);
  };

  return (
    <FormBox
      title={t('action.facts')}
      call={call}
      sendLabel={t('facts.send')}
      onSend={() => void send()}
      onCancel={onCancel}
      testId="facts"
      {...(blocked ? { blocked } : {})}
      {...(v.etag !== incident.etag ? { note: t('facts.meanwhile') } : {})}
    >
      <div className="fields">
        <TextField
          label={t('facts.source')}
          path="source"
          required
          value={v.source}
          onChange={(source) => set({ source })}
          testId="facts-source"
          placeholder={t('facts.sourceHow')}
        />
        <TimeField label={t('facts.asOf')} value={v.asOf} onChange={(asOf) => set({ asOf })} nowMs={now} testId="facts-as-of" />
      </div>
      <FactsFields value={v.facts} onChange={(facts) => set({ facts })} withStatus />
      <SubstanceFields value={v.substances} onChange={(substances) => set({ substances })} nowMs={now} empty={emptySubstance} />
    </FormBox>
  );
}
