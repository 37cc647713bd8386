import { useI18n, type MessageKey } from '../i18n';
import { useSpaceNow } from '../live/context';
import { badNumber } from '../logic/facts';
import { emptySubstance } from '../logic/substances';
import { SubstanceFields } from '../report/SubstanceFields';
import { Choice } from '../ui/Choice';
import { SelectField } from '../ui/SelectField';
import { TextField } from '../ui/TextField';
import { TimeField } from '../ui/TimeField';
import type { NotificationDraft } from './draft';

interface Props {
  value: NotificationDraft;
  onChange: (value: NotificationDraft) => void;
}

/** What the neighbour is told, field by field. */
export function DraftFields({ value: v, onChange }: Props) {
  const { t } = useI18n();
  const now = useSpaceNow();
  const set = (change: Partial<NotificationDraft>) => onChange({ ...v, ...change });
  return (
    <div data-testid="notification-editor">
      <Choice
        label={t('draft.kind')}
        path="content.kind"
        options={[1, 2, 3, 4, 5].map((k) => ({ value: k, label: t(`kind.${k}` as MessageKey) }))}
        value={v.kind}
        onChange={(kind) => set({ kind })}
        testId="notification-kind"
      />
      <TextField
        label={t('notification.subject')}
        path="content.subject"
        required
        wide
        value={v.subject}
        onChange={(subject) => set({ subject })}
        testId="notification-subject"
      />
      <TextField
        label={t('notification.situation')}
        path="content.situation"
        rows={4}
        wide
        value={v.situation}
        onChange={(situation) => set({ situation })}
        testId="notification-situation"
      />
      <div className="fields">
        <SelectField
          label={t('fact.grade')}
          path="content.grade"
          value={v.grade}
          options={[0, 1, 2, 3, 4].map((g) => ({ value: g, label: g === 0 ? t('gradeState.2') : t(`grade.${g}` as MessageKey) }))}
          onChange={(grade) => set({ grade })}
          testId="notification-grade"
        />
        <SelectField
          label={t('notification.boundary')}
          path="content.boundary_effect"
          value={v.boundary}
          options={[0, 1, 2, 3].map((b) => ({ value: b, label: t(`boundaryEffectKnown.${b}` as MessageKey) }))}
          onChange={(boundary) => set({ boundary })}
          testId="notification-boundary"
        />
        <TimeField
          label={t('time.occurred')}
          path="content.occur_time"
          value={v.occurred}
          onChange={(occurred) => set({ occurred })}
          nowMs={now}
          testId="notification-occurred"
          unknown
        />
        <TimeField
          label={t('time.learned')}
          path="content.learn_time"
          value={v.learned}
          onChange={(learned) => set({ learned })}
          nowMs={now}
          testId="notification-learned"
        />
        <TextField
          label={t('notification.sectionSender')}
          path="content.section_sender_name"
          value={v.sectionSender}
          onChange={(sectionSender) => set({ sectionSender })}
          testId="notification-section-sender"
        />
        <TextField
          label={t('notification.sectionRecipient')}
          path="content.section_recipient_name"
          value={v.sectionRecipient}
          onChange={(sectionRecipient) => set({ sectionRecipient })}
          testId="notification-section-recipient"
        />
        <TextField
          label={t('notification.flowUnit')}
          path="content.flow_m3_per_s"
          value={v.flow}
          onChange={(flow) => set({ flow })}
          testId="notification-flow"
          inputMode="decimal"
          wrong={badNumber(v.flow) ? t('number.unreadable') : undefined}
          placeholder={t('common.unknown')}
        />
        <TextField
          label={t('notification.telephone')}
          path="content.duty_telephone"
          required
          value={v.telephone}
          onChange={(telephone) => set({ telephone })}
          testId="notification-telephone"
          type="tel"
        />
        <TimeField
          label={t('notification.nextUpdate')}
          path="content.next_update_time"
          value={v.nextUpdate}
          onChange={(nextUpdate) => set({ nextUpdate })}
          nowMs={now}
          testId="notification-next-update"
        />
      </div>
      <TextField
        label={t('notification.measures')}
        path="content.measures_taken"
        rows={2}
        wide
        value={v.measures}
        onChange={(measures) => set({ measures })}
        testId="notification-measures"
      />
      <TextField
        label={t('notification.asked')}
        path="content.requested_action"
        rows={2}
        wide
        value={v.asked}
        onChange={(asked) => set({ asked })}
        testId="notification-asked"
      />
      <SubstanceFields
        value={v.substances}
        onChange={(substances) => set({ substances })}
        nowMs={now}
        empty={emptySubstance}
        path="content.substances"
      />
    </div>
  );
}
