use super::*;

#[test]
fn placeholder_is_replaced_below() {
    assert_eq!(batch_len(&[]), 0);
}
