//! What a manifest may name as trigger, and what the catalogue knows of it.

use countersign_model::declare::validate::TRIGGERS;
use countersign_model::require::Catalogue;

#[test]
fn every_word_of_a_manifest_is_a_trigger_of_the_catalogue() {
    let catalogue = Catalogue::embedded();
    let everything = catalogue.reopened_by("no such trigger");
    for word in TRIGGERS {
        let reopened = catalogue.reopened_by(word);
        assert!(reopened.len() < everything.len(), "{word} reopens everything, as if unknown");
    }
}
