//! Copies of trait objects.

/// Makes `Box<dyn $object>` `Clone`, by a supertrait that every type which is `Clone` implements.
macro_rules! boxed_clone {
    ($name:ident of $object:ident) => {
        /// A copy behind the trait, which every type that is `Clone` has.
        pub trait $name {
            /// A copy with all its state.
            fn boxed_clone(&self) -> Box<dyn $object>;
        }

        impl<T: $object + Clone + 'static> $name for T {
            fn boxed_clone(&self) -> Box<dyn $object> {
                Box::new(self.clone())
            }
        }

        impl Clone for Box<dyn $object> {
            fn clone(&self) -> Self {
                self.as_ref().boxed_clone()
            }
        }
    };
}
pub(crate) use boxed_clone;
