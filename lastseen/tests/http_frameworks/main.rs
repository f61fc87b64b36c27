//! The same site in every framework: what the layer reports there, and what it leaves alone.
#![cfg(any(feature = "actix", feature = "axum"))]

#[cfg(feature = "actix")]
mod actix;
#[cfg(feature = "axum")]
mod axum;
mod behaviour;
mod site;

/// Makes a test of each behaviour, for a framework.
macro_rules! behaves {
    ($framework:ty: $($behaviour:ident)*) => {$(
        #[tokio::test]
        async fn $behaviour() {
            crate::behaviour::$behaviour::<$framework>().await;
        }
    )*};
    ($framework:ty) => {
        behaves! { $framework:
            a_users_request_is_reported_and_a_guests_is_not
            the_user_is_online_before_the_handler_runs
            a_request_that_its_client_gives_up_counts
            a_request_counts_whatever_becomes_of_it
            answers_pass_as_they_are
            rule_3_the_request_that_signs_out_does_not_bring_its_user_back
            rule_10_a_skipped_request_is_served_and_not_reported
            rule_10_in_doubt_a_request_counts
            rule_10_a_nested_layer_sees_the_path_that_the_client_sent
            rule_10_a_rule_of_the_sites_own_sees_the_head
            rule_11_the_address_is_the_clients_and_no_more_of_it_than_is_kept
            rule_11_all_lines_of_the_named_header_count_and_no_other
            rule_11_without_a_peer_there_is_no_address
            a_user_just_signed_in_is_reported_with_the_address_of_that_request
        }
    };
}

pub(crate) use behaves;
